// For users: what a model author writes.
export { Service, isService } from './service.js';
export { createRunner } from './runner.js';
export { batchable, method } from './method.js';
export { json } from './io/json.js';
export { text } from './io/text.js';
export { tensor } from './io/tensor.js';
export { image } from './io/image.js';
export { file } from './io/file.js';
export { multipart } from './io/multipart.js';
export { Tensor, hasDType } from './tensor.js';
export { Image } from './image.js';
export { FileValue } from './values.js';
export { createLocalHandle } from './local-handle.js';
export type { ServiceOptions, WorkerContext, WorkerHook, DeploymentHook } from './service.js';
export type { ApiContext, ApiFunction, ApiOptions } from './api.js';
export type { Priority } from './runner-handle.js';
export type { Runner, RunnerOptions } from './runner.js';
export type { RunnableClass, RunnableHooks } from './runnable.js';
export type { CallOptions, RunnerMethod, StreamMethod, UnaryMethod } from './runner-method.js';
export type { BatchableOptions, MethodOptions, MethodSpec } from './method.js';
export type { MethodOverrides } from './compile-methods.js';
export type { RunnerResources } from './compile-workers.js';
export type { DType, Scalar, TensorData } from './dtype.js';
export type { Nested, NestedArray, NestedOf } from './nested.js';
export type { FileValueOptions, JsonValue, RunnerRecord, RunnerValue } from './values.js';
export type { ImageDecodeOptions, ImageFormat, PixelMode } from './image.js';
export type { JsonOptions } from './io/json.js';
export type { TensorOptions } from './io/tensor.js';
export type { ImageOptions } from './io/image.js';
export type { FileOptions } from './io/file.js';
export type { MultipartFields, MultipartOptions, MultipartValue } from './io/multipart.js';

// For our apps and libraries: how services are run.
export { describeService, fingerprintOf } from './describe.js';
export { createRunnable, disposeRunnable } from './create-runnable.js';
export { toMethodFailure } from './to-method-failure.js';
export { currentCallContext, runInCallContext } from './call-context.js';
export { isDType } from './dtype.js';
export { isRecord } from './values.js';
export type { ApiDescription, MethodDescription, RunnerDescription, ServiceDescription } from './describe.js';
export type { Api } from './api.js';
export type { AnyRunner, RunnerDefinition, RunnerFacts } from './runner.js';
export type { MethodNames } from './runnable.js';
export type { RunnerMethodSpec } from './compile-methods.js';
export type { HandleCallOptions, RunnerHandle, RunnerTiming } from './runner-handle.js';
export type { CallContext, CallObserver, CallWatch } from './call-context.js';
export type {
  Body,
  Content,
  DescriptorSpec,
  EncodedBody,
  IODescriptor,
  JsonSchema,
  OpenApiBody,
} from './io/descriptor.js';
