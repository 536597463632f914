import type { Content } from '@bentots/service';

/** What a request says, whichever version of the protocol it is written in. */
export interface InboundMessage {
  readonly apiName: string;
  /** The content, when it is of one of these kinds; else `invalid_argument` that lists what is accepted. */
  content(kinds: readonly Content['kind'][]): Content;
}

/** One API as a self-configuring client needs to know it. */
export interface ApiFacts {
  readonly name: string;
  readonly docs: string | undefined;
  readonly input: DescriptorFacts;
  readonly output: DescriptorFacts;
}

/** An IO descriptor by its id and options. */
export interface DescriptorFacts {
  readonly id: string;
  readonly args: Readonly<Record<string, unknown>> | null;
}

/** What `ServiceMetadata` tells. */
export interface ServiceFacts {
  readonly name: string;
  readonly docs: string | undefined;
  readonly apis: readonly ApiFacts[];
}

/** One version of BentoML's protocol: its names, and its messages as bytes. */
export interface Protocol {
  /** Full name of the service: `bentoml.grpc.v1.BentoService`. */
  readonly service: string;
  /** Malformed bytes throw. */
  decodeRequest(bytes: Uint8Array): InboundMessage;
  encodeResponse(content: Content): Uint8Array;
  /** Absent: this version has no `ServiceMetadata`. */
  encodeMetadata?(facts: ServiceFacts): Uint8Array;
}
