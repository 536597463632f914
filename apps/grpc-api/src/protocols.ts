import type { GrpcWorkerData } from '@bentots/config';
import type { Protocol } from './protocol.js';
import { protocolV1 } from './protocol-v1.js';
import { protocolV1Alpha1 } from './protocol-v1alpha1.js';

/** Every version of BentoML's protocol that a server can be asked to speak. */
export const PROTOCOLS: Readonly<Record<GrpcWorkerData['protocolVersion'], Protocol>> = {
  v1: protocolV1,
  v1alpha1: protocolV1Alpha1,
};
