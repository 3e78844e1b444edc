export { type Account, Parley, type ParleyOptions, ProblemError } from './client.js';
export {
  type Ack,
  type ConversationState,
  DisconnectedError,
  type Message,
  type OtherFrame,
  type Profile,
  type Ready,
  RefusedError,
} from './frames.js';
export type { Draft, Pending } from './outbox.js';
export { Realtime, type RealtimeEvents, type RealtimeOptions, SignedOutError } from './realtime.js';
export type { components, paths } from './schema.js';
export type { TokenPair } from './tokens.js';
