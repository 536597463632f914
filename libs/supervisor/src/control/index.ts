// For whoever asks and steers running trees.
export { findTrees } from './find-trees.js';
export type { TreeRef } from './find-trees.js';
export { TreeClient } from './tree-client.js';
export { isSignal } from './request.js';
export type {
  CommandName,
  ControlArguments,
  ControlResults,
  TimedEvent,
  TreeStats,
  WatcherEntry,
} from './protocol.js';

// For whoever plans a tree.
export { canHoldControlSocket } from './control-path.js';
