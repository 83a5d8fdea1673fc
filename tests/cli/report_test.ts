import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { printableOutput } from "../../src/cli/output.ts";
import {
  exitStatus,
  type RegistryResult,
  report,
} from "../../src/cli/report.ts";
import { run as migrate } from "../../src/cli/commands/migrate.ts";
import { run as restore } from "../../src/cli/commands/restore.ts";
import { FakeScene } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";

/** What a terminal would act upon, line endings apart. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function reported(results: readonly RegistryResult[], json: boolean): string[] {
  const lines: string[] = [];
  const add = (line: string): number => lines.push(line);
  report(results, json, printableOutput(add, add));
  return lines;
}

function result(
  outcome: RegistryResult["outcome"],
  code: RegistryResult["reason"]["code"] = "moved",
  text = "corp",
): RegistryResult {
  return {
    registry: text,
    indexUrl: text,
    outcome,
    reason: { code, detail: text },
    message: text,
  };
}

Deno.test("report() passes nothing on that a terminal would act upon", () => {
  const text = fc.string({ unit: "binary" }).map((part) =>
    `${part}\x1b]0;owned\x07\x1b[2J\u009b1m\u202e\r\n${part}`
  );
  fc.assert(
    fc.property(text, fc.boolean(), (text, json) => {
      const lines = reported([result("failed", "locked", text)], json);
      assertEquals(lines.length, 1);
      for (const line of lines) assert(!ACTIVE.test(line), line);
      if (!json) return;
      const [row] = JSON.parse(lines[0] ?? "").results;
      assertEquals(row.index_url, text);
    }),
    { seed: 20_261_125, numRuns: 500 },
  );
});

Deno.test("report() says it where there was nothing to do", () => {
  assertEquals(reported([], false), ["There is nothing to do."]);
  assertEquals(reported([], true), ['{"results":[]}']);
});

Deno.test("exitStatus() is 1 if something could not be done", () => {
  const statuses: [RegistryResult["outcome"], number][] = [
    ["migrated", 0],
    ["would-migrate", 0],
    ["restored", 0],
    ["would-restore", 0],
    ["already", 0],
    ["conflict", 1],
    ["skipped", 1],
    ["failed", 1],
  ];
  for (const [outcome, status] of statuses) {
    assertEquals(exitStatus([result("migrated"), result(outcome)]), status);
  }
  assertEquals(exitStatus([]), 0);
  assertEquals(exitStatus([result("skipped", "pinned")]), 0);
});

Deno.test("commands print what a store calls its items without control characters", async () => {
  const url = "sparse+https://corp.example/index/";
  const label = "L\x1b]0;owned\x07\x1b[2J\u202e";
  const store = new FakeStore({ [url]: "tok" }, { others: [label] });
  await using scene = await FakeScene.create({
    config: `[registries.corp]\nindex = "${url}"\n`,
    credentials: `[registries.corp]\ntoken = "tok-2"\n`,
    store,
  });
  for (const registry of [[], ["corp"]]) {
    for (const json of [false, true]) {
      const args = { registry, dryRun: false, json };
      await restore({ ...args, keepStore: false }, scene.session());
      assertMatch([...scene.out].join("\n"), /corp/);
      for (const line of [...scene.out, ...scene.err]) {
        assert(!ACTIVE.test(line), line);
      }
      await migrate({
        ...args,
        index: undefined,
        from: undefined,
        keepFile: false,
        prefer: undefined,
        yes: false,
      }, scene.session());
      for (const line of [...scene.out, ...scene.err]) {
        assert(!ACTIVE.test(line), line);
      }
    }
  }
});

Deno.test("CommandSession asks nothing that a terminal would act upon", async () => {
  await using scene = await FakeScene.create({ answers: ["y"] });
  assertEquals(await scene.session().confirm("\x1b[2J\u202eGo\r\non?"), true);
  assertEquals(scene.questions, ["Go on? [y/N] "]);
});
