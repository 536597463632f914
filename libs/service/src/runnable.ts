import type { MethodSpec } from './method.js';

/**
 * A class that holds a model. Its constructor loads it; `static readonly methods` says which methods may be called
 * and how.
 */
export interface RunnableClass {
  new (...args: never[]): object;
  readonly methods: Readonly<Record<string, MethodSpec>>;
}

/** What a runnable may have besides its methods. */
export interface RunnableHooks {
  /** Awaited after the constructor, before the worker is ready. */
  init?(): void | Promise<void>;
  /** Called once when the worker ends. */
  dispose?(): void | Promise<void>;
}

/** Names that a runnable's method cannot have: they mean something else on the runnable or on the runner. */
export const RESERVED_METHOD_NAMES = ['constructor', 'init', 'dispose', 'definition', 'then'] as const;

/** The methods that a runnable class declares. */
export type MethodNames<C extends RunnableClass> = Extract<keyof C['methods'], string>;

/** The names of an object's properties that can be called. */
type CallableNames<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];

/** Names in `methods` that are no method of the class, or that are reserved. */
type WrongNames<C extends RunnableClass> =
  | Exclude<keyof C['methods'], CallableNames<InstanceType<C>>>
  | Extract<keyof C['methods'], (typeof RESERVED_METHOD_NAMES)[number]>;

/**
 * `unknown` for a class whose `methods` name only methods that it has; else a type that no class has, so that the
 * compiler refuses it and shows the name.
 */
export type CheckMethods<C extends RunnableClass> = [WrongNames<C>] extends [never]
  ? unknown
  : { readonly methods: { readonly [K in WrongNames<C>]: 'is not a method of this class' } };
