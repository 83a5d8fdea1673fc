import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  type FileSettings,
  findUnknownVariables,
  isWrong,
  parseEnvironment,
  parseSettingsFile,
} from "../../src/settings/parse_settings.ts";
import type { WrongSetting } from "../../src/settings/settings.ts";

const TOKEN = "cioABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

function assertWrong(value: object, key: string): WrongSetting {
  assert(isWrong(value), `not wrong: ${Deno.inspect(value)}`);
  assertEquals(value.key, key);
  assert(!JSON.stringify(value).includes(TOKEN), "shows the token");
  // It becomes part of a longer sentence.
  assertMatch(value.message, /[^.]$/);
  return value;
}

Deno.test("parseEnvironment() reads every variable", () => {
  assertEquals(
    parseEnvironment({
      CARGO_CREDENTIAL_KEYRING_STORE: "keyutils",
      CARGO_CREDENTIAL_KEYRING_MIGRATE: "never",
      CARGO_CREDENTIAL_KEYRING_FALLBACK: "strict",
      CARGO_CREDENTIAL_KEYRING_PROMPT: "always",
      CARGO_CREDENTIAL_KEYRING_TIMEOUT: "1.5",
      CARGO_CREDENTIAL_KEYRING_PROMPT_TIMEOUT: "600",
      HOME: "/nowhere",
    }),
    {
      store: "keyutils",
      migrate: "never",
      fallback: "strict",
      prompt: "always",
      timeoutMs: 1500,
      promptTimeoutMs: 600_000,
    },
  );
  assertEquals(parseEnvironment({}), {});
});

for (
  const [suffix, value] of [
    ["STORE", ""],
    ["STORE", "Keychain"],
    ["STORE", TOKEN],
    ["MIGRATE", "yes"],
    ["FALLBACK", "strict "],
    ["PROMPT", "true"],
    ["TIMEOUT", "0"],
    ["TIMEOUT", ""],
    ["TIMEOUT", "-1"],
    ["TIMEOUT", "1e2"],
    ["TIMEOUT", "0x10"],
    ["TIMEOUT", "Infinity"],
    ["TIMEOUT", "601"],
    ["PROMPT_TIMEOUT", "a minute"],
    ["PROMPT_TIMEOUT", TOKEN],
  ] as const
) {
  const variable = `CARGO_CREDENTIAL_KEYRING_${suffix}`;
  Deno.test(`parseEnvironment() refuses ${variable}="${value}"`, () => {
    const wrong = assertWrong(
      parseEnvironment({ [variable]: value }),
      variable,
    );
    assertEquals(wrong.where, "the environment");
    assertEquals(wrong.system, false);
    assertStringIncludes(wrong.message, variable);
  });
}

Deno.test("findUnknownVariables() names what looks like a setting", () => {
  const notices = findUnknownVariables({
    CARGO_CREDENTIAL_KEYRING_STORE: "off",
    CARGO_CREDENTIAL_KEYRING_FALBACK: "strict",
    cargo_credential_keyring_store: "off",
    [`CARGO_CREDENTIAL_KEYRING_${TOKEN}`]: "",
    CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: "/run/secrets/a",
    CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_MY_REG: "/run/secrets/b",
    CARGO_HOME: "/nowhere",
  });
  assertEquals(notices.length, 3);
  assertStringIncludes(
    notices[0]?.text ?? "",
    "`CARGO_CREDENTIAL_KEYRING_FALBACK` sets nothing",
  );
  assertStringIncludes(notices[1]?.text ?? "", "`cargo_credential_keyring_st");
  assert(!JSON.stringify(notices).includes(TOKEN));
});

const USER = {
  path: "/users/me/.cargo/credential-keyring.toml",
  system: false,
};
const SYSTEM = { path: "/etc/cargo-credential-keyring.toml", system: true };

Deno.test("parseSettingsFile() reads every key and table", () => {
  const document = {
    store: "off",
    migrate: "notify",
    fallback: "deny",
    prompt: "never",
    timeout: 2,
    "prompt-timeout": 0.25,
    "hand-over": "late",
    confirm: ["publish", "owners"],
    record: "on",
    registry: [
      { index: "sparse+https://example.com/", store: "auto" },
      { index: "https://github.com/rust-lang/crates.io-index", timeout: 1 },
    ],
  };
  const expected: FileSettings = {
    general: {
      store: "off",
      migrate: "notify",
      fallback: "deny",
      prompt: "never",
      timeoutMs: 2000,
      promptTimeoutMs: 250,
      handOver: "late",
      confirm: ["publish", "owners"],
      record: "on",
    },
    registries: [
      { index: "sparse+https://example.com/", settings: { store: "auto" } },
      {
        index: "https://github.com/rust-lang/crates.io-index",
        settings: { timeoutMs: 1000 },
      },
    ],
  };
  assertEquals(parseSettingsFile(document, USER), { ...expected, enforce: {} });
  assertEquals(
    parseSettingsFile({ ...document, enforce: { store: "auto" } }, SYSTEM),
    { ...expected, enforce: { store: "auto" } },
  );
});

const registry = (...entries: readonly unknown[]): Record<string, unknown> => ({
  registry: entries,
});

for (
  const [document, key] of [
    [{ store: "on" }, "store"],
    [{ store: true }, "store"],
    [{ store: ["off"] }, "store"],
    [{ store: TOKEN }, "store"],
    [{ confirm: ["publish", "all"] }, "confirm"],
    [{ confirm: ["publish", "never"] }, "confirm"],
    [{ confirm: true }, "confirm"],
    [{ record: true }, "record"],
    [{ timeout: "3" }, "timeout"],
    [{ timeout: 0 }, "timeout"],
    [{ timeout: Infinity }, "timeout"],
    [{ timeout: NaN }, "timeout"],
    [{ prompt_timeout: 3 }, "prompt_timeout"],
    [{ fallbak: "deny" }, "fallbak"],
    [{ [TOKEN]: "deny" }, "a key"],
    [{ enforce: {} }, "enforce"],
    [{ registry: { index: "sparse+https://example.com/" } }, "registry"],
    [registry({}), "[[registry]] index"],
    [registry("x"), "[[registry]] index"],
    [registry({ index: 3 }), "[[registry]] index"],
    [registry({ index: "" }), "[[registry]] index"],
    [registry({ index: "crates-io" }), "[[registry]] index"],
    [
      registry({ index: "sparse+https://index.crates.io/" }),
      "[[registry]] index",
    ],
    [registry({ index: "a" }, { index: "a" }), "[[registry]] index"],
    [
      registry({ index: "https://a/b" }, { index: "https://a/b.git" }),
      "[[registry]] index",
    ],
    [registry({ index: "a", store: "?" }), "[[registry]] store"],
    [registry({ index: "a", indexx: "?" }), "[[registry]] indexx"],
    [registry({ index: "a", enforce: {} }), "[[registry]] enforce"],
  ] as const
) {
  const title = JSON.stringify(document).replaceAll(TOKEN, "TOKEN");
  Deno.test(`parseSettingsFile() refuses ${title} in the user's file`, () => {
    const wrong = assertWrong(parseSettingsFile(document, USER), key);
    assertEquals([wrong.where, wrong.system], [USER.path, false]);
    assertStringIncludes(wrong.message, USER.path);
  });
}

for (
  const [document, key] of [
    [{ enforce: "x" }, "enforce"],
    [{ enforce: [{}] }, "enforce"],
    [{ enforce: { stroe: "auto" } }, "[enforce] stroe"],
    [{ enforce: { store: "?" } }, "[enforce] store"],
    [{ enforce: { registry: [] } }, "[enforce] registry"],
    [{ store: "?", enforce: {} }, "store"],
  ] as const
) {
  Deno.test(`parseSettingsFile() refuses ${JSON.stringify(document)} in the system file`, () => {
    const wrong = assertWrong(parseSettingsFile(document, SYSTEM), key);
    assertEquals([wrong.where, wrong.system], [SYSTEM.path, true]);
  });
}

for (
  const [text, expected] of [
    ["never", []],
    ["", []],
    ["publish", ["publish"]],
    ["publish,yank", ["publish", "yank"]],
    [" publish, owners ", ["publish", "owners"]],
  ] as const
) {
  Deno.test(`parseEnvironment() reads the list "${text}"`, () => {
    assertEquals(
      parseEnvironment({ CARGO_CREDENTIAL_KEYRING_CONFIRM: text }),
      { confirm: [...expected] },
    );
  });
}
