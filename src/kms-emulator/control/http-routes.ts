/** The control plane over HTTP: which path does what. */
import type { FaultHandle } from "../drills/faults.ts";
import type { CallRecord } from "../drills/journal.ts";
import type { PauseHandle } from "../drills/pauses.ts";
import type { Engine } from "../engine/engine.ts";
import { EmulatorError } from "../errors.ts";
import { AwsException } from "../exceptions.ts";
import { toWire } from "../http/wire-json.ts";
import type { CallOptions, EmulatorControl } from "./control.ts";
import { numberMember, objectBody, optionalText, readFault, readPause, requireText } from "./control-input.ts";

/** An answer of the control plane: JSON. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface ControlRequest {
  readonly method: string;
  /** Path segments: `/faults/3` is `["faults", "3"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const ok = (body: unknown): ControlAnswer => ({ status: 200, body });
const notFound = (what: string): ControlAnswer => ({ status: 404, body: { error: `no ${what}` } });

/** Times as ISO 8601, input and output as on AWS's wire. */
function recordBody(record: CallRecord): unknown {
  const { time, input, output, ...rest } = record;
  return {
    ...rest,
    time: time.toISOString(),
    input: toWire(input),
    ...(output === undefined ? {} : { output: toWire(output) }),
  };
}

interface HeldPause {
  readonly handle: PauseHandle;
  record: CallRecord | undefined;
}

/** The control plane's resources: the same things that {@link EmulatorControl} offers, under numbers. */
export class ControlRoutes {
  readonly #engine: Engine;
  readonly #control: EmulatorControl;
  readonly #faults = new Map<string, { handle: FaultHandle; rule: unknown }>();
  readonly #pauses = new Map<string, HeldPause>();
  #nextId = 1;

  constructor(engine: Engine, control: EmulatorControl) {
    this.#engine = engine;
    this.#control = control;
  }

  /** Throws EmulatorError INVALID_OPTION for a request that makes no sense. */
  async answer(request: ControlRequest): Promise<ControlAnswer> {
    const [resource = "", id] = request.path;
    switch (`${request.method} /${resource}${id === undefined ? "" : "/{id}"}`) {
      case "GET /":
        return ok({ service: "spire-aws-kms emulator", now: this.#control.now().toISOString() });
      case "GET /clock":
        return this.#clock();
      case "POST /clock":
        this.#control.advance(numberMember(request.body, "advanceMs"));
        return this.#clock();
      case "GET /faults":
        return ok({ faults: [...this.#faults.keys()].map((known) => this.#faultBody(known)) });
      case "POST /faults":
        return this.#addFault(request.body);
      case "DELETE /faults":
        this.#control.clearFaults();
        this.#faults.clear();
        return ok({});
      case "GET /faults/{id}":
        return this.#faults.has(id ?? "") ? ok(this.#faultBody(id ?? "")) : notFound(`fault ${id}`);
      case "DELETE /faults/{id}":
        return this.#removeFault(id ?? "");
      case "POST /pauses":
        return this.#addPause(request.body);
      case "GET /pauses/{id}":
        return this.#waitForPause(id ?? "", Number(request.query.get("waitMs") ?? "0"));
      case "DELETE /pauses/{id}":
        return this.#releasePause(id ?? "");
      case "GET /journal":
        return this.#journal(Number(request.query.get("after") ?? "0"));
      case "DELETE /journal":
        this.#control.clearJournal();
        return ok({});
      case "POST /call":
        return this.#call(request.body);
      case "POST /reset":
        this.#control.reset();
        this.#faults.clear();
        this.#pauses.clear();
        return ok({});
      case "GET /state":
        return ok(this.#control.dump());
      case "PUT /state":
        this.#control.load(request.body);
        return ok({});
      default:
        return notFound(`resource for ${request.method} /${request.path.join("/")}`);
    }
  }

  #clock(): ControlAnswer {
    return ok({ now: this.#control.now().toISOString() });
  }

  #faultBody(id: string): unknown {
    const known = this.#faults.get(id);
    return { id, hits: known?.handle.hits ?? 0, fault: known?.rule };
  }

  #addFault(body: unknown): ControlAnswer {
    const handle = this.#control.addFault(readFault(body));
    const id = String(this.#nextId++);
    this.#faults.set(id, { handle, rule: body });
    return { status: 201, body: this.#faultBody(id) };
  }

  #removeFault(id: string): ControlAnswer {
    const known = this.#faults.get(id);
    if (!known) return notFound(`fault ${id}`);
    const body = this.#faultBody(id);
    known.handle.remove();
    this.#faults.delete(id);
    return ok(body);
  }

  #addPause(body: unknown): ControlAnswer {
    const handle = this.#control.pause(readPause(body));
    const id = String(this.#nextId++);
    const held: HeldPause = { handle, record: undefined };
    handle.reached.then(
      (record) => {
        held.record = record;
      },
      () => {}, // the emulator closed
    );
    this.#pauses.set(id, held);
    return { status: 201, body: { id, reached: false } };
  }

  async #waitForPause(id: string, waitMs: number): Promise<ControlAnswer> {
    const held = this.#pauses.get(id);
    if (!held) return notFound(`pause ${id}`);
    if (!held.record && waitMs > 0) {
      const reached = held.handle.reached.then(
        () => {},
        () => {},
      );
      await Promise.race([reached, this.#engine.waits.sleep(Math.min(waitMs, 60_000))]);
    }
    return ok({ id, reached: held.record !== undefined, ...(held.record ? { record: recordBody(held.record) } : {}) });
  }

  #releasePause(id: string): ControlAnswer {
    const held = this.#pauses.get(id);
    if (!held) return notFound(`pause ${id}`);
    held.handle.release();
    this.#pauses.delete(id);
    return ok({ id, reached: held.record !== undefined });
  }

  #journal(after: number): ControlAnswer {
    const records = this.#control.journal().filter((record) => record.sequence > after);
    return ok({ records: records.map(recordBody) });
  }

  async #call(body: unknown): Promise<ControlAnswer> {
    const request = objectBody(body);
    const operation = requireText(request, "operation");
    const [region, account] = [optionalText(request, "region"), optionalText(request, "account")];
    const [accessKeyId, arn] = [optionalText(request, "accessKeyId"), optionalText(request, "arn")];
    const identity = accessKeyId === undefined ? arn && { arn } : { accessKeyId };
    const options: CallOptions = {
      ...(region === undefined ? {} : { region }),
      ...(account === undefined ? {} : { account }),
      ...(identity ? { identity } : {}),
    };
    try {
      const output = await this.#control.callByName(operation, request.input ?? {}, options);
      return ok({ output: toWire(output ?? {}) });
    } catch (error) {
      if (!(error instanceof AwsException)) throw error;
      return ok({ error: { name: error.code, message: error.message, status: error.status } });
    }
  }
}

/** What went wrong with a control request, as an answer. */
export function controlFailure(error: unknown): ControlAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const isOurs = error instanceof EmulatorError || error instanceof RangeError || error instanceof AwsException;
  return { status: isOurs ? 400 : 500, body: { error: message } };
}
