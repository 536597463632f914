export { Failure, type Outcome } from './failure.js';
export { type Asker, Load, type LoadOptions, type Mishap } from './load.js';
export { addTallies, countOf, emptyTally, failedOf, formatTally, type Tally } from './tally.js';
export { createRow, expectRow, grpcPredict, httpPredict, type HttpPredictOptions } from './predict.js';
export { postJson } from './post-json.js';
export { failureOfCall, type GrpcClient, type GrpcOptions, openGrpc } from './grpc-client.js';
