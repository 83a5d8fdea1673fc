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
 * Kills a program at each change of a file, and at each message to the
 * keyring. These are counted by name, for those of several threads come in no
 * fixed order.
 *
 * @param messages Which messages; absent: all.
 * @returns The calls at which it was killed.
 */
export async function killEverywhere(
  scene: Scene,
  victim: Victim,
  messages?: readonly string[],
): Promise<ShimCall[]> {
  await victim.reset();
  const result = await victim.run([]);
  const calls = await scene.shim.takeLog();
  await victim.afterRun(result, calls);
  const points = await killAtEach(scene, victim, {
    action: "kill",
    kind: "file.*",
  });
  const names = calls.filter(({ kind }) => kind === "bus")
    .map(({ name }) => name)
    .filter((name) => messages?.includes(name) ?? true);
  for (const name of new Set(names)) {
    const rule = { action: "kill", kind: "bus", name } as const;
    points.push(...await killAtEach(scene, victim, rule));
  }
  return points;
}

/** A call in one string. */
export function format({ kind, name }: ShimCall): string {
  return `${kind} ${name}`;
}
