/** Where a stack's server listens. */
export type Transport = 'unix' | 'tcp';

/** Calls a server from one process; several calls may be in flight. */
export interface EchoClient {
  /** Sends the payload and resolves with the number of bytes that came back. */
  call(): Promise<number>;
  close(): Promise<void>;
}

/** One way to carry a call from a process to another and back: a server that echoes, and its client. */
export interface Stack {
  readonly name: string;
  /** Listens on the path of a unix socket or on a free port of 127.0.0.1, and says where. */
  serve(at: { transport: 'unix'; path: string } | { transport: 'tcp' }): Promise<Address>;
  /** A client that will have at most `concurrency` calls in flight, each of `payload`. */
  connect(address: Address, concurrency: number, payload: Float32Array): Promise<EchoClient>;
}

/** The address of a server, for its client in another process. */
export type Address = { readonly path: string } | { readonly port: number };
