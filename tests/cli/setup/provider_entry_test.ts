import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  putProvider,
  type PutProviderOptions,
  takeProvider,
} from "../../../src/cli/setup/provider_entry.ts";
import { CONFIGS } from "../../support/cargo_configs.ts";
import { loadTomlParser } from "../../../src/toml/document.ts";

const toml = await loadTomlParser();
const PROGRAM = "/opt/cargo/bin/cargo-credential-keyring";
const OPTIONS: PutProviderOptions = {
  program: PROGRAM,
  platformProvider: "cargo:libsecret",
  isListedElsewhere: false,
};

function put(text: string, options: Partial<PutProviderOptions> = {}): string {
  const edit = putProvider(toml, text, { ...OPTIONS, ...options });
  return edit.kind === "edited" ? edit.text : `(${edit.kind})`;
}

function take(text: string): string {
  const edit = takeProvider(toml, text);
  return edit.kind === "edited" ? edit.text : `(${edit.kind})`;
}

for (const [name, text] of Object.entries(CONFIGS)) {
  Deno.test(`setup puts the program into a file with ${name}, and takes it out to the byte`, () => {
    const done = put(text);
    const values = toml.values(done);
    const list = Object(values["registry"])["global-credential-providers"];
    assertEquals(list.at(-1), PROGRAM);
    assertEquals(put(done), "(unchanged)");
    assertEquals(take(done), text);
    assertEquals(take(text), "(unchanged)");
  });
}

Deno.test("putProvider() brings cargo:token with a new list alone", () => {
  const list = (text: string, options: Partial<PutProviderOptions> = {}) =>
    Object(toml.values(put(text, options))["registry"])[
      "global-credential-providers"
    ];
  assertEquals(list(""), ["cargo:token", PROGRAM]);
  assertEquals(list("", { isListedElsewhere: true }), [PROGRAM]);
  assertEquals(list(CONFIGS["libsecret alone"] ?? ""), [PROGRAM]);
  assertEquals(list(CONFIGS["libsecret first"] ?? ""), [
    "cargo:token",
    PROGRAM,
  ]);
  assertEquals(list(CONFIGS["another tool"] ?? ""), [
    "cargo:token",
    "cargo-credential-1password --account me.1password.com",
    PROGRAM,
  ]);
});

Deno.test("putProvider() leaves the provider of one registry unless cargo's own", () => {
  const libsecret = put(CONFIGS["one registry on libsecret"] ?? "");
  assertStringIncludes(libsecret, `credential-provider = "${PROGRAM}"`);
  const list = put(CONFIGS["crates.io on libsecret"] ?? "");
  assertStringIncludes(list, `credential-provider = ["${PROGRAM}"]`);
  const other = put(CONFIGS["Cloudsmith"] ?? "");
  assertStringIncludes(other, '["cargo-credential-cloudsmith"]');
});

Deno.test("putProvider() replaces a path where the program no longer lies", () => {
  const old = "/users/me/old/cargo-credential-keyring";
  const before = put(CONFIGS["libsecret"] ?? "", { program: old });
  const after = put(before);
  assertEquals(after.includes(old), false);
  assertEquals(take(after), CONFIGS["libsecret"]);
});

Deno.test("putProvider() names a path with spaces by an alias", () => {
  const program = "/Users/Jane Doe/.cargo/bin/cargo-credential-keyring";
  for (const text of ["", CONFIGS["cargo:token"] ?? ""]) {
    const done = put(text, { program });
    const values = Object(toml.values(done));
    assertEquals(
      values["registry"]["global-credential-providers"].at(-1),
      "cargo-credential-keyring",
    );
    assertEquals(values["credential-alias"]["cargo-credential-keyring"], [
      program,
    ]);
    assertEquals(put(done, { program }), "(unchanged)");
    assertEquals(take(done), text);
  }
});

Deno.test("takeProvider() takes out what somebody wrote by hand, too", () => {
  const byHand = (entry: string) =>
    `[registry]\nglobal-credential-providers = ["cargo:token", "${entry}"]\n`;
  assertEquals(take(byHand(PROGRAM)), CONFIGS["cargo:token"]);
  const short = byHand("cargo-credential-keyring");
  assertEquals(take(short), CONFIGS["cargo:token"]);
  assertEquals(take(put(short)), CONFIGS["cargo:token"]);
});

Deno.test("takeProvider() keeps what was added since", () => {
  const fresh = put("");
  const more = fresh.replace(`"${PROGRAM}"`, `"other", "${PROGRAM}"`);
  const left = Object(toml.values(take(more)));
  assertEquals(left["registry"]["global-credential-providers"], [
    "cargo:token",
    "other",
  ]);
  const replaced = put(CONFIGS["libsecret"] ?? "")
    .replace(`"${PROGRAM}"`, `"other", "${PROGRAM}"`);
  assertEquals(
    Object(toml.values(take(replaced)))["registry"][
      "global-credential-providers"
    ],
    ["cargo:token", "other"],
  );
});

Deno.test("putProvider() refuses what it cannot edit", () => {
  const refusal = (text: string) => putProvider(toml, text, OPTIONS);
  assertEquals(refusal("[registry\n"), {
    kind: "refused",
    reason: "malformed",
  });
  assertEquals(
    refusal('[registry]\nglobal-credential-providers = "cargo:token"\n'),
    { kind: "refused", reason: "not-a-list" },
  );
});
