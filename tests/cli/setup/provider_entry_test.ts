import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  putProvider,
  type PutProviderOptions,
  takeProvider,
} from "../../../src/cli/setup/provider_entry.ts";
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

/** Files as people and tools write them. */
export const CONFIGS: Readonly<Record<string, string>> = {
  "nothing": "",
  "a comment alone": "# my configuration\n",
  "other tables": "[net]\nretry = 3\n\n[build]\njobs = 4\n",
  "no line end": "[net]\nretry = 3",
  "an empty table": "[registry]\n",
  "a default registry": '[registry]\ndefault = "corp"\n\n[net]\nretry = 3\n',
  "dotted keys": 'registry.default = "corp"\nnet.retry = 3\n',
  "cargo:token": '[registry]\nglobal-credential-providers = ["cargo:token"]\n',
  "an empty list": "[registry]\nglobal-credential-providers = []\n",
  "libsecret":
    '[registry]\nglobal-credential-providers = ["cargo:token", "cargo:libsecret"]\n',
  "libsecret alone":
    '[registry]\nglobal-credential-providers = ["cargo:libsecret"]\n',
  "libsecret first":
    '[registry]\nglobal-credential-providers = ["cargo:libsecret", "cargo:token"] # both\n',
  "several lines":
    '[registry]\nglobal-credential-providers = [\n  "cargo:token", # the file\n  "cargo:libsecret", # the keyring\n]\ndefault = "corp"\n',
  "several lines, no last comma":
    '[registry]\nglobal-credential-providers = [\n    "cargo:token"\n]\n',
  "another tool":
    '[registry]\nglobal-credential-providers = ["cargo:token", "cargo-credential-1password --account me.1password.com"]\n',
  "an alias":
    '[registry]\nglobal-credential-providers = ["cargo:token", "op"]\n\n[credential-alias]\nop = ["cargo-credential-1password", "--account", "me.1password.com"]\n',
  "Artifactory":
    '[registries.artifactory]\nindex = "sparse+https://acme.jfrog.io/artifactory/api/cargo/cargo/index/"\n\n[registry]\ndefault = "artifactory"\nglobal-credential-providers = ["cargo:token"]\n',
  "CodeArtifact":
    '[registries.acme]\nindex = "sparse+https://acme-111122223333.d.codeartifact.us-west-2.amazonaws.com/cargo/r/"\ncredential-provider = "cargo:token-from-stdout aws codeartifact get-authorization-token"\n\n[source.crates-io]\nreplace-with = "acme"\n',
  "Azure":
    '[registries]\nacme = { index = "sparse+https://pkgs.dev.azure.com/acme/_packaging/f/Cargo/index/" }\n\n[registry]\nglobal-credential-providers = ["cargo:token"]\n',
  "Cloudsmith":
    '[registries.cloudsmith]\nindex = "sparse+https://cargo.cloudsmith.io/acme/r/"\ncredential-provider = ["cargo-credential-cloudsmith"]\n',
  "one registry on libsecret":
    '[registries.corp]\nindex = "sparse+https://corp.example/index/"\ncredential-provider = "cargo:libsecret"\n',
  "crates.io on libsecret":
    '[registry]\ncredential-provider = ["cargo:libsecret"]\n',
  "crates.io on the file": '[registry]\ncredential-provider = "cargo:token"\n',
  "line ends of Windows":
    '[registry]\r\nglobal-credential-providers = ["cargo:token"]\r\n\r\n[net]\r\nretry = 3\r\n',
  "a byte order mark": "\ufeff[net]\nretry = 3\n",
  "quoted keys":
    '["registry"]\n"global-credential-providers" = [\'cargo:token\']\n',
  "an inline table":
    'registry = { default = "corp", global-credential-providers = ["cargo:token"] }\n',
  "an inline table without a list": 'registry = { default = "corp" }\n',
  "arrays of tables":
    '[[registry-mirrors]]\nname = "a"\n\n[[registry-mirrors]]\nname = "b"\n\n[registry]\ndefault = "a"\n',
  "a token":
    '[registry]\ntoken = "planted-token"\ndefault = "corp"\n\n[registries.corp]\nindex = "sparse+https://corp.example/index/"\ntoken = "planted-token-2"\n',
  "include": 'include = ["shared.toml"]\n\n[net]\ngit-fetch-with-cli = true\n',
  "home-manager":
    '[build]\nrustc-wrapper = "/nix/store/x-sccache/bin/sccache"\n\n[registry]\nglobal-credential-providers = ["cargo:token"]\n[term]\nverbose = false\n',
  "numbers of all kinds":
    "[http]\ntimeout = 0x1e\nlow-speed-limit = 1_000_000\n[profile.dev]\nopt-level = 0\ndebug = 1.5\n",
};

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
  const old = "/home/me/old/cargo-credential-keyring";
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
