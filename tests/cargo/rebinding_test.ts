import { assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import { findRebinding } from "../../src/cargo/rebinding.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";

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

Deno.test("findRebinding() takes names with dots as variables do", () => {
  assertEquals(
    find({ "my-corp": GOOD }, { "my.corp": EVIL }, "my.corp"),
    `${GOOD} in /project/.cargo/config.toml`,
  );
});

Deno.test("findRebinding() finds the weaker of two bindings, asked by URL", () => {
  const { files, ...rest } = layers({ corp: GOOD }, { corp: EVIL });
  // Cargo does not look into the credentials file for a name.
  const nearer = { corp: GOOD };
  const found = findRebinding(
    { ...rest, files: [...files, ...layers(nearer, {}).files.slice(0, 1)] },
    "/",
    { indexUrl: EVIL },
  );
  assertEquals(found, {
    name: "corp",
    userUrl: GOOD,
    projectUrl: EVIL,
    where: "/project/.cargo/config.toml",
  });
});

Deno.test("findRebinding() leaves crates.io, whose token has no name", () => {
  for (const name of ["crates-io", "corp"]) {
    assertEquals(
      findRebinding(
        layers({ corp: GOOD }, { corp: CRATES_IO_INDEX }),
        "/",
        { indexUrl: CRATES_IO_INDEX, name },
      ),
      "none",
    );
  }
});

Deno.test("findRebinding() takes the user's variable for the user's word", () => {
  for (
    const environment of [
      { CARGO_REGISTRIES_CORP_INDEX: EVIL },
      { CARGO_REGISTRIES_CORP_INDEX: EVIL.slice(0, -1) },
    ]
  ) {
    const bound = { ...layers({ corp: GOOD }, { corp: EVIL }), environment };
    assertEquals(
      findRebinding(bound, "/", { indexUrl: EVIL, name: "corp" }),
      "none",
    );
    assertEquals(findRebinding(bound, "/", { indexUrl: EVIL }), "none");
  }
});

const UNREAD: [
  what: string,
  unread: ("user" | "project")[],
  user: Readonly<Record<string, string>>,
  project: Readonly<Record<string, string>>,
  name: string | undefined,
  expected: string,
][] = [
  ["nothing is seen to bind", ["project"], {}, {}, undefined, "any, project"],
  ["the user binds", ["project"], { corp: EVIL }, {}, undefined, "none"],
  ["a named project's is", ["project"], {}, {}, "corp", "none"],
  ["the user's unread file binds", ["user"], {}, {}, "corp", "none"],
  ["a project binds", ["user"], {}, { corp: EVIL }, undefined, "corp, user"],
  ["a project binds", ["user"], {}, { corp: EVIL }, "corp", "corp, user"],
  ["a project binds", ["project"], {}, { corp: EVIL }, "corp", "none"],
  ["either may bind", ["user", "project"], {}, {}, "corp", "corp, project"],
];

for (const [what, unread, user, project, name, expected] of UNREAD) {
  Deno.test(
    `findRebinding() with an unread file of the ${
      unread.join(" and the ")
    } and a URL that ${what} as ${name}`,
    () => {
      const problems = unread.map((layer) => ({
        layer,
        path: layer,
        reason: "too-large",
      } as const));
      const request = {
        indexUrl: EVIL,
        ...(name === undefined ? {} : { name }),
      };
      const found = findRebinding(
        { ...layers(user, project), problems },
        "/",
        request,
      );
      assertEquals(
        found === "none" ? found : `${found.name ?? "any"}, ${found.where}`,
        expected,
      );
      if (found !== "none") assertEquals(found.userUrl, undefined);
      // Cargo itself ends at such a file.
      const fatal = problems.map((problem) => ({
        ...problem,
        reason: "missing",
      } as const));
      assertEquals(
        findRebinding(
          { ...layers(user, project), problems: fatal },
          "/",
          request,
        ),
        "none",
      );
    },
  );
}
