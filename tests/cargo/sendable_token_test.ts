import { assertEquals } from "@std/assert";
import { sendableToken } from "../../src/cargo/sendable_token.ts";
import type { Environment } from "../../src/cargo/home.ts";
import { shownPath, withCheckout } from "./config_support.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);

const CORP = '[registries.my-corp]\ntoken = "tok"\n';

const SENDABLE: [
  what: string,
  files: Record<string, string>,
  environment: Environment,
  expected: string,
][] = [
  ["nothing", {}, {}, "none"],
  [
    "the credentials file",
    { "user/.cargo/credentials.toml": CORP },
    {},
    "some user/.cargo/credentials.toml",
  ],
  [
    "the credentials file without an extension",
    {
      "user/.cargo/credentials": CORP,
      "user/.cargo/credentials.toml": "",
    },
    {},
    "some user/.cargo/credentials",
  ],
  [
    "an inline table behind escapes",
    {
      "user/.cargo/credentials.toml":
        'registries = { my_corp = { "\\u0074oken" = "tok" } }\n',
    },
    {},
    "some user/.cargo/credentials.toml",
  ],
  [
    "the configuration in cargo's home",
    { "user/.cargo/config.toml": CORP },
    {},
    "some user/.cargo/config.toml",
  ],
  [
    "a file that it includes",
    {
      "user/.cargo/config.toml": "include = ['i.toml']\n",
      "user/.cargo/i.toml": CORP,
    },
    {},
    "some user/.cargo/i.toml",
  ],
  [
    "a name that is written with a dot, as several keys",
    { "user/.cargo/config.toml": CORP.replace("my-corp", "my.corp") },
    {},
    "some user/.cargo/config.toml",
  ],
  [
    "a variable",
    {},
    { CARGO_REGISTRIES_MY_CORP_TOKEN: "tok" },
    "some CARGO_REGISTRIES_MY_CORP_TOKEN",
  ],
  [
    "an empty variable: cargo takes it for a token",
    {},
    { CARGO_REGISTRIES_MY_CORP_TOKEN: "" },
    "some CARGO_REGISTRIES_MY_CORP_TOKEN",
  ],
  ["a project's own", { "checkout/.cargo/config.toml": CORP }, {}, "none"],
  [
    "other names",
    {
      "user/.cargo/credentials.toml":
        '[registry]\ntoken = "tok"\n[registries.corp]\ntoken = "tok"\n' +
        '[registries.my-corp]\nindex = "token"\n',
    },
    { CARGO_REGISTRY_TOKEN: "tok", CARGO_REGISTRIES_CORP_TOKEN: "tok" },
    "none",
  ],
  [
    "a credentials file that is no TOML to us",
    {
      "user/.cargo/credentials.toml": `x = "\\t${"a".repeat(130_000)}"\n`,
    },
    {},
    "unknown user/.cargo/credentials.toml",
  ],
  [
    "a credentials file that is too large",
    {
      "user/.cargo/credentials.toml": `# token\n${"#\n".repeat(500_000)}`,
    },
    {},
    "unknown user/.cargo/credentials.toml",
  ],
  [
    "a configuration that cannot be read",
    { "user/.cargo/config.toml": "[registries\n" },
    {},
    "unknown user/.cargo/config.toml",
  ],
  [
    "a project's configuration that cannot be read",
    { "checkout/.cargo/config.toml": "[registries\n" },
    {},
    "none",
  ],
];

for (const [what, files, environment, expected] of SENDABLE) {
  Deno.test(`sendableToken() looks at ${what}`, () =>
    withCheckout(files, async ({ root, home, load }) => {
      const layers = await load(environment);
      const path = "user/.cargo/credentials" in files
        ? `${home}/credentials`
        : `${home}/credentials.toml`;
      const found = await sendableToken(layers, path, "my-corp");
      assertEquals(
        found.kind === "none"
          ? found.kind
          : `${found.kind} ${shownPath(found.where, root)}`,
        expected,
      );
    }));
}

Deno.test("sendableToken() finds any token of a registry with a name", () =>
  withCheckout(
    { "user/.cargo/credentials.toml": CORP },
    async ({ home, load }) => {
      const layers = await load();
      const any = async (text: string): Promise<string> => {
        const path = `${home}/credentials.toml`;
        await Deno.writeTextFile(path, text);
        return (await sendableToken(layers, path, undefined)).kind;
      };
      assertEquals(await any(CORP), "some");
      assertEquals(await any('[registry]\ntoken = "tok"\n'), "none");
      assertEquals(
        await any('[registries.crates-io]\ntoken = "tok"\n'),
        "none",
      );
    },
  ));

Deno.test("sendableToken() knows nothing of a home that cannot be read", () =>
  withCheckout({}, async ({ load }) => {
    const layers = {
      ...await load(),
      problems: [{ layer: "user", path: "home", reason: "unreadable" }],
    } as const;
    assertEquals(await sendableToken(layers, undefined, "my-corp"), {
      kind: "unknown",
      where: "home",
    });
  }));

links.test("sendableToken() does not wait for a pipe", () =>
  withCheckout({}, async ({ home, load }) => {
    const path = `${home}/credentials.toml`;
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const found = await sendableToken(await load(), path, "my-corp");
    assertEquals(found, { kind: "unknown", where: path });
  }));
