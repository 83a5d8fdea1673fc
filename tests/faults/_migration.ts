import { assert, assertEquals } from "@std/assert";
import { parse, type TomlTable, type TomlValue } from "smol-toml";
import type { ShimCall } from "../support/kill_shim.ts";
import { type Form, TOKEN } from "./_forms.ts";
import type { Victim } from "./_kill.ts";
import { CRATES_IO, type Scene, tokenOf } from "./_scene.ts";

/**
 * The migration of the token of a form, by a `get`.
 *
 * @param scene The scene.
 * @param form How the file is written.
 * @returns What is killed, and what must hold.
 */
export function migration(scene: Scene, form: Form): Victim {
  const { registry, text } = form;
  const ask: Victim["run"] = (rules) => scene.ask("get", registry, { rules });
  return {
    reset: () => scene.reset(text, registry),
    run: ask,
    afterKill: async () => {
      await assertNothingLost(scene, form);
      const result = await scene.ask("get", registry);
      assertEquals(tokenOf(result), TOKEN, result.stderr);
      await assertMoved(scene, form);
    },
    afterRun: async ({ code, stdout, stderr }, calls) => {
      assertEquals(code, 0, stderr);
      assert(stdout.includes(TOKEN), stderr);
      await assertMoved(scene, form);
      assertWritesStayOnPages(calls);
    },
  };
}

/** The token is in one place at least, and everything else is where it was. */
export async function assertNothingLost(
  scene: Scene,
  form: Form,
): Promise<void> {
  const text = await scene.home.credentials() ?? "";
  const inFile = tokenIn(text, form);
  const stored = await scene.stored(form.registry);
  assertEquals(othersIn(text, form), othersIn(form.text, form));
  if (inFile !== undefined) assertEquals(inFile, TOKEN);
  assert(stored.length <= 1, `${stored.length} items`);
  for (const secret of stored) assertEquals(secret, TOKEN);
  assert(inFile !== undefined || stored.length > 0, "the token is lost");
}

/** The token is in the store alone. */
export async function assertMoved(scene: Scene, form: Form): Promise<void> {
  const text = await scene.home.credentials() ?? "";
  assertEquals(await scene.stored(form.registry), [TOKEN]);
  assertEquals(othersIn(text, form), othersIn(form.text, form));
  assertEquals(tokenIn(text, form), form.stays ? TOKEN : undefined);
  // Not in a comment either.
  assertEquals(text.includes(TOKEN), form.stays ?? false);
}

/** A write that a kill cannot cut off: the kernel does not stop in a page. */
function assertWritesStayOnPages(calls: readonly ShimCall[]): void {
  for (const { kind, name, detail } of calls) {
    if (kind !== "file.write" || name !== "credentials.toml") continue;
    const [offset = 0, size = 0] = detail.split("+").map(Number);
    assertEquals(
      Math.floor(offset / 4096),
      Math.floor((offset + size - 1) / 4096),
      `a write of ${detail} bytes crosses a page`,
    );
  }
}

/** What a file holds besides the token that is moved. */
export function othersIn(
  text: string,
  { registry, token = TOKEN }: Form,
): TomlTable {
  const values = parseFile(text);
  for (const table of tablesOf(values, registry.name)) {
    if (table?.["token"] === token || table?.["token"] === "dead-token") {
      delete table["token"];
    }
  }
  return withoutEmpty(values);
}

/** The token that cargo reads for the form's registry. */
export function tokenIn(text: string, { registry }: Form): unknown {
  const tables = tablesOf(parseFile(text), registry.name);
  return tables.find((table) => table !== undefined)?.["token"];
}

/** Cargo's order: `[registry]`, and only without it the top level. */
function tablesOf(
  values: TomlTable,
  name: string,
): readonly (TomlTable | undefined)[] {
  if (name === CRATES_IO.name) return [tableAt(values, "registry"), values];
  const registries = tableAt(values, "registries");
  return [registries === undefined ? undefined : tableAt(registries, name)];
}

function tableAt(values: TomlTable, name: string): TomlTable | undefined {
  const value = values[name];
  return isTable(value) ? value : undefined;
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** A header without keys says nothing, and neither does its absence. */
function withoutEmpty(values: TomlTable): TomlTable {
  const kept: TomlTable = {};
  for (const [name, value] of Object.entries(values)) {
    const inner = isTable(value) ? withoutEmpty(value) : value;
    if (isTable(inner) && Object.keys(inner).length === 0) continue;
    kept[name] = inner;
  }
  return kept;
}

function parseFile(text: string): TomlTable {
  return parse(text.replace(/^\ufeff/, ""));
}
