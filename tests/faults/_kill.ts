import { assert } from "@std/assert";
import type { ShimCall, ShimRule } from "../support/kill_shim.ts";
import type { RunResult } from "../support/run.ts";
import { KILLED, type Scene } from "./_scene.ts";

/** What is killed, and what must hold afterwards. */
export interface Victim {
  /** Sets the scene. */
  reset(): Promise<void>;
  /** What is killed. */
  run(rules: readonly ShimRule[]): Promise<RunResult>;
  /** Holds after every kill. */
  afterKill(): Promise<void>;
  /** Holds if it got through. */
  afterRun(result: RunResult, calls: readonly ShimCall[]): Promise<void>;
}

type KillRule = Extract<ShimRule, { action: "kill" | "kill-after" }>;

/**
 * Kills a program at each call that matches, one after the other, until it
 * gets through.
 *
 * @returns The calls at which it was killed.
 */
export async function killAtEach(
  scene: Scene,
  victim: Victim,
  rule: Omit<KillRule, "nth">,
): Promise<ShimCall[]> {
  const points: ShimCall[] = [];
  for (let nth = 1;; nth++) {
    await victim.reset();
    const result = await victim.run([{ ...rule, nth }]);
    const calls = await scene.shim.takeLog();
    try {
      if (result.code !== KILLED) {
        await victim.afterRun(result, calls);
        return points;
      }
      await victim.afterKill();
    } catch (error) {
      const { action, kind, name = "*" } = rule;
      throw new Error(`${action} ${kind} ${name} ${nth}`, { cause: error });
    }
    const last = calls.at(-1);
    assert(last !== undefined);
    points.push(last);
  }
}

/**
 * Kills a program at each of its calls. They are counted by kind and name, for
 * the messages of several threads come in no fixed order.
 *
 * @param only The kinds and names of calls; absent: all.
 * @returns The calls at which it was killed.
 */
export async function killEverywhere(
  scene: Scene,
  victim: Victim,
  only: (call: ShimCall) => boolean = () => true,
): Promise<ShimCall[]> {
  await victim.reset();
  const result = await victim.run([]);
  const calls = await scene.shim.takeLog();
  await victim.afterRun(result, calls);
  const points: ShimCall[] = [];
  const names = new Set<string>();
  for (const call of calls) {
    const { kind, name } = call;
    if (kind === "read" || !only(call) || names.has(`${kind} ${name}`)) {
      continue;
    }
    names.add(`${kind} ${name}`);
    const rule = { action: "kill", kind, name } as const;
    points.push(...await killAtEach(scene, victim, rule));
  }
  return points;
}

/** The messages to the keyring that ask or change something. */
export function matters({ kind, name }: ShimCall): boolean {
  return kind !== "bus" ||
    ["SearchItems", "CreateItem", "GetSecrets", "Delete"].includes(name);
}

/** A call in one string. */
export function format({ kind, name }: ShimCall): string {
  return `${kind} ${name}`;
}
