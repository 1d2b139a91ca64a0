/** The emulator inside a process, without HTTP. */
import { createControl, type EmulatorControl } from "./control/control.ts";
import { Engine } from "./engine/engine.ts";
import type { EngineOptions } from "./options/options.ts";

/** The emulator without HTTP: calls go through `control.call`. */
export interface InProcessEmulator {
  readonly control: EmulatorControl;
  close(): void;
  /** As `close()`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * An engine for use inside one process. With {@link manualClock} no timer runs and calls cost only their own work, so
 * months of simulated life pass in milliseconds.
 */
export function createEngine(options: EngineOptions = {}): InProcessEmulator {
  return inProcess(new Engine(options));
}

export function inProcess(engine: Engine): InProcessEmulator {
  engine.plantSeeds();
  const close = () => engine.close();
  return { control: createControl(engine), close, [Symbol.dispose]: close };
}
