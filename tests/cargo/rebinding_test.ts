import { assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import { findRebinding } from "../../src/cargo/rebinding.ts";

const GOOD = "sparse+https://good.example/index/";
const EVIL = "sparse+https://evil.example/index/";

function layers(
  user: Readonly<Record<string, string>>,
  project: Readonly<Record<string, string>>,
): ConfigLayers {
  const file = (
    layer: "user" | "project",
    registries: Readonly<Record<string, string>>,
  ): ConfigLayers["files"][number] => ({
    layer,
    path: `/${layer}/.cargo/config.toml`,
    values: {
      registries: Object.fromEntries(
        Object.entries(registries).map(([name, index]) => [name, { index }]),
      ),
    },
  });
  return {
    environment: {},
    files: [file("user", user), file("project", project)],
    problems: [],
  };
}

function find(
  user: Readonly<Record<string, string>>,
  project: Readonly<Record<string, string>>,
  name: string,
): string {
  const found = findRebinding(layers(user, project), "/", {
    indexUrl: EVIL,
    name,
  });
  return found === "none" ? found : `${found.userUrl} in ${found.where}`;
}

const TABLE: readonly (readonly [
  what: string,
  user: Readonly<Record<string, string>>,
  project: Readonly<Record<string, string>>,
  name: string,
  expected: string,
])[] = [
  [
    "finds a name that a project takes",
    { alt: GOOD },
    { alt: EVIL },
    "alt",
    `${GOOD} in /project/.cargo/config.toml`,
  ],
  [
    "finds one that differs in `-` and `_` alone: the variable is the same",
    { "my-reg": GOOD },
    { my_reg: EVIL },
    "my_reg",
    `${GOOD} in /project/.cargo/config.toml`,
  ],
  ["leaves a name that only a project has", {}, { alt: EVIL }, "alt", "none"],
  ["leaves the user's own", { alt: EVIL }, {}, "alt", "none"],
  [
    "leaves two spellings that are both the user's own",
    { "my-reg": GOOD, my_reg: EVIL },
    {},
    "my_reg",
    "none",
  ],
];

for (const [what, user, project, name, expected] of TABLE) {
  Deno.test(`findRebinding() ${what}`, () => {
    assertEquals(find(user, project, name), expected);
  });
}
