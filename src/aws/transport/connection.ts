/** One kept-alive connection to an endpoint: one request at a time, and its answer if that is plain. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type End, Replay } from "./replay.ts";
import { type ResponseHead, readHead } from "./response-head.ts";
import type { WireRequest } from "./wire-request.ts";

/** As much as Node's parser takes. */
const maxHeadBytes = 16 * 1024;
/** As much as of the SDK's answers is read: more is told in its words. */
const maxBodyBytes = 4 * 1024 * 1024;

export interface PlainAnswer {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** Who has sent the request. Exactly one of these is called, once. */
export interface Recipient {
  answered(answer: PlainAnswer): void;
  /** What came is not plain, or broke off. */
  handedOver(replay: Replay): void;
  /** The request never left this machine. */
  unsent(error: Error): void;
}

export interface ConnectionOwner {
  /** The connection may have its next request. */
  idle(connection: Connection, keptMs: number | undefined): void;
  /** There will be no more requests on it. */
  closed(connection: Connection): void;
}

/**
 * Opens a connection. Where the system can, it reads into a buffer of ours and calls `onRead`, which saves a buffer and
 * half a stream for each answer; otherwise the connection has its data as any stream.
 */
export type Connect = (onRead: OnRead) => Promise<Duplex>;

/** Options of `net.connect` and `tls.connect`. */
export interface OnRead {
  readonly buffer: Uint8Array;
  readonly callback: (bytes: number) => boolean;
}

const endOfHead = "\r\n\r\n";
const nothing = Buffer.alloc(0);

/** What is read is taken before anything else is read: one for all connections. */
const readBuffer = Buffer.alloc(65_536);

export class Connection {
  readonly #owner: ConnectionOwner;
  #socket: Duplex | undefined;
  #recipient: Recipient | undefined;
  /** What is to be written once there is a socket. */
  #unwritten: WireRequest | undefined;
  /** Whether the system has taken the whole request. */
  #isSent = false;
  /** Whether it has ever had an answer. */
  #isProven = false;
  /** The answer so far; one piece until its head is there. */
  #received: Buffer[] = [];
  #size = 0;
  #head: ResponseHead | undefined;
  #bodyStart = 0;
  #failure: Error | undefined;
  #isHandedOver = false;
  #isClosed = false;

  constructor(owner: ConnectionOwner, connect: Connect) {
    this.#owner = owner;
    connect({ buffer: readBuffer, callback: this.#read }).then(
      (socket) => this.#opened(socket),
      (error: Error) => this.#lost(error),
    );
  }

  /** Whether there is a way to the endpoint, or to its proxy. */
  get isConnected(): boolean {
    const socket = this.#socket;
    return socket !== undefined && Reflect.get(socket, "connecting") !== true;
  }

  /** Whether an answer's head is there, and the rest is being waited for. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  send(request: WireRequest, recipient: Recipient): void {
    this.#recipient = recipient;
    this.#isSent = false;
    const socket = this.#socket;
    if (socket === undefined) this.#unwritten = request;
    else {
      if (socket instanceof Socket) socket.ref();
      this.#write(socket, request);
    }
  }

  /** Ends it, and with it the request under way, whose recipient hears no more. */
  close(): void {
    this.#recipient = undefined;
    this.#leave();
    this.#socket?.destroy();
  }

  /** Gives the request under way to Node's HTTP client. */
  handOver(end: End): void {
    const recipient = this.#recipient;
    const socket = this.#socket;
    if (recipient === undefined || socket === undefined) return void this.close();
    this.#recipient = undefined;
    this.#leave();
    socket.removeListener("data", this.#heard).removeListener("end", this.#ended).removeListener("close", this.#closed);
    socket.pause();
    this.#isHandedOver = true;
    recipient.handedOver(new Replay(socket, this.#whole(), end));
  }

  #opened(socket: Duplex): void {
    if (this.#isClosed) return void socket.on("error", () => undefined).destroy();
    this.#socket = socket;
    if (socket instanceof Socket) socket.setNoDelay(true).setKeepAlive(true, 30_000);
    socket.on("data", this.#heard).on("end", this.#ended).on("error", this.#failed).on("close", this.#closed);
    if (this.#unwritten !== undefined) this.#write(socket, this.#unwritten);
    else this.#rest();
    this.#unwritten = undefined;
  }

  /** An idle connection does not keep the process from ending. */
  #rest(): void {
    if (this.#socket instanceof Socket) this.#socket.unref();
  }

  #write(socket: Duplex, { text, encoding }: WireRequest): void {
    socket.write(text, encoding, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    if (error === undefined || error === null) this.#isSent = true;
  };

  readonly #read = (bytes: number): boolean => {
    const chunk = readBuffer.subarray(0, bytes);
    // From now on it is a stream like any other.
    if (this.#isHandedOver) this.#socket?.emit("data", Buffer.from(chunk));
    else this.#heardAtOnce(chunk);
    return true;
  };

  /** Most answers come in one piece: then nothing of it but the body is copied. */
  #heardAtOnce(chunk: Buffer): void {
    if (this.#recipient === undefined || this.#size > 0) return void this.#heard(Buffer.from(chunk));
    const text = chunk.toString("latin1");
    const end = text.indexOf(endOfHead);
    const head = end < 0 ? undefined : readHead(text.slice(0, end));
    const bodyStart = end + endOfHead.length;
    if (head === undefined || bodyStart + head.length !== chunk.length) return void this.#heard(Buffer.from(chunk));
    this.#answered(head, Buffer.from(chunk.subarray(bodyStart)));
  }

  readonly #heard = (chunk: Buffer): void => {
    // Nothing was asked: whatever this is, it would be taken for the next answer.
    if (this.#recipient === undefined) return void this.close();
    this.#received.push(chunk);
    this.#size += chunk.length;
    const head = this.#head ?? this.#readHead();
    if (head === undefined) return;
    const end = this.#bodyStart + head.length;
    if (this.#size < end) return;
    if (this.#size > end) return void this.handOver(undefined);
    this.#answered(head, this.#whole().subarray(this.#bodyStart, end));
  };

  #whole(): Buffer {
    const [first = nothing] = this.#received;
    const whole = this.#received.length < 2 ? first : Buffer.concat(this.#received);
    this.#received = [whole];
    return whole;
  }

  /** @returns undefined while it is not there whole, and when it is not plain */
  #readHead(): ResponseHead | undefined {
    const received = this.#whole();
    const end = received.indexOf(endOfHead);
    if (end < 0 && received.length <= maxHeadBytes) return undefined;
    const head = end < 0 || end > maxHeadBytes ? undefined : readHead(received.toString("latin1", 0, end));
    if (head === undefined || head.length > maxBodyBytes) {
      this.handOver(undefined);
      return undefined;
    }
    this.#head = head;
    this.#bodyStart = end + endOfHead.length;
    return head;
  }

  #answered(head: ResponseHead, body: Buffer): void {
    const recipient = this.#recipient;
    this.#recipient = undefined;
    this.#received = [];
    this.#size = 0;
    this.#head = undefined;
    this.#isProven = true;
    if (head.keptMs === 0 || !this.#isSent) this.close();
    else {
      this.#rest();
      this.#owner.idle(this, head.keptMs);
    }
    recipient?.answered({ head, body });
  }

  readonly #ended = (): void => this.#lost("ended");

  readonly #failed = (error: Error): void => {
    this.#failure = error;
  };

  readonly #closed = (): void => this.#lost(this.#failure ?? "ended");

  #lost(end: Exclude<End, undefined>): void {
    const recipient = this.#recipient;
    const isWithoutTrace = !this.#isSent && this.#size === 0;
    const cannotBeJudged = this.#socket === undefined;
    if (recipient !== undefined && end instanceof Error && (cannotBeJudged || (isWithoutTrace && this.#isProven))) {
      this.close();
      return void recipient.unsent(end);
    }
    if (recipient === undefined) this.close();
    else this.handOver(end);
  }

  #leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.closed(this);
  }
}
