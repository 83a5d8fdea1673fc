/**
 * Shows cargo at work with this program, step by step, and after each step
 * where the token is. It uses the real cargo, a registry on 127.0.0.1 and a
 * throw-away home, and leaves nothing behind.
 *
 * @module
 */
import { toolchain } from "../tests/support/cargo.ts";
import { askProvider } from "../tests/support/ask_provider.ts";
import type { ProviderResult } from "../tests/support/ask_provider.ts";
import { startSessionBus } from "../tests/support/session_bus.ts";
import type { SessionBus } from "../tests/support/session_bus.ts";
import { PROVIDER, TestHome } from "../tests/support/test_home.ts";
import { run } from "../tests/support/run.ts";
import { print, styled } from "./print.ts";
import { setUp, SetUpError } from "../tests/harness/set_up.ts";

/** Where a token can be. */
type Place = "file" | "store" | "nowhere";

/** One command, and where the token must be after it. */
interface Step {
  readonly title: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly after: Place;
}

const REGISTRY = "demo";
const TOKEN = `demo-${crypto.randomUUID()}`;
/** What a Secret Service on a bus of its own takes. */
const KEYRING_PACKAGES = [
  "dbus-daemon",
  "gnome-keyring",
  "libsecret-1-0",
  "libsecret-tools",
  "python3",
  "python3-gi",
];

const ALT = ["--registry", REGISTRY];

const LOG_IN: Step = {
  title: "Log in",
  args: ["login", ...ALT],
  stdin: `${TOKEN}\n`,
  after: "store",
};
const LOG_OUT: Step = {
  title: "Log out",
  args: ["logout", ...ALT],
  after: "nowhere",
};
const PUBLISH: Step = {
  title: "Publish",
  args: ["publish", ...ALT],
  after: "store",
};
const WORK: readonly Step[] = [
  {
    title: "Yank the release",
    args: ["yank", ...ALT, "hello@0.1.0"],
    after: "store",
  },
  {
    title: "Undo that",
    args: ["yank", ...ALT, "--undo", "hello@0.1.0"],
    after: "store",
  },
  {
    title: "Add an owner",
    args: ["owner", ...ALT, "--add", "a-friend", "--list", "hello"],
    after: "store",
  },
];

/** What is shown before this program is set up, and after. */
interface Plot {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

/** A token that lies in plaintext is moved on its first use. */
const DURABLE_STORE: Plot = {
  before: [{
    ...LOG_IN,
    title: "Cargo alone keeps the token in plaintext",
    after: "file",
  }],
  after: [
    { ...PUBLISH, title: "Publish: the token moves on its first use" },
    ...WORK,
    LOG_OUT,
    { ...LOG_IN, title: "Log in again: no file in between" },
    LOG_OUT,
  ],
};

/** Nothing is moved to where the next boot would lose it. */
const KERNEL_KEYS: Plot = {
  before: [],
  after: [LOG_IN, PUBLISH, ...WORK, LOG_OUT],
};

/** The home, and how to look into the store from outside. */
interface Scene {
  readonly home: TestHome;
  readonly storeTitle: string;
  readonly inStore: () => Promise<boolean>;
}

async function main(signal: AbortSignal): Promise<void> {
  await setUp([]);
  const { version } = await toolchain();
  await using bus = await openKeyring();
  // On Linux without one: what the kernel keeps until the next boot.
  const durable = Deno.build.os !== "linux" || bus !== undefined;
  const plot = durable ? DURABLE_STORE : KERNEL_KEYS;
  await using home = await TestHome.create({
    registries: { [REGISTRY]: { authRequired: true, tokens: [TOKEN] } },
    providers: ["cargo:token"],
    ...(bus === undefined ? {} : { bus }),
    env: durable ? {} : { CARGO_CREDENTIAL_KEYRING_STORE: "keyutils" },
  });
  const scene: Scene = {
    home,
    storeTitle: storeTitle(bus),
    inStore: () => bus === undefined ? askProgram(home) : askSecretTool(home),
  };
  print(
    `The real cargo ${version}, a registry at ${
      home.registry(REGISTRY).origin
    } that wants a token\nfor everything, and ${scene.storeTitle}, ` +
      "in a throw-away home.",
  );
  await home.crate("hello");
  try {
    for (const step of plot.before) await show(step, scene, signal);
    await home.configure(["cargo:token", PROVIDER]);
    print(
      `\nFrom here on, cargo's configuration has\n\n    [registry]\n` +
        `    global-credential-providers = ["cargo:token", ` +
        `"cargo-credential-keyring"]`,
    );
    for (const step of plot.after) await show(step, scene, signal);
  } finally {
    // The kernel's keys outlive this process; the rest goes with the home.
    if (bus === undefined) await forget(home);
  }
}

/** A Secret Service of our own on Linux, if one can be had here. */
async function openKeyring(): Promise<SessionBus | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    await setUp(KEYRING_PACKAGES);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    print(`${error.message}\nUntil then, the kernel's keys serve.\n`);
    return undefined;
  }
  return await startSessionBus();
}

function storeTitle(bus: SessionBus | undefined): string {
  switch (Deno.build.os) {
    case "darwin":
      return "the Keychain";
    case "windows":
      return "the Credential Manager";
    default:
      return bus === undefined
        ? "the kernel's keyring"
        : "a Secret Service (gnome-keyring on a D-Bus of its own)";
  }
}

async function show(
  step: Step,
  scene: Scene,
  signal: AbortSignal,
): Promise<void> {
  const { home } = scene;
  const { title, args, stdin, after } = step;
  print(`\n${styled("bold", title)}`);
  print(
    `  $ ${stdin === undefined ? "" : "echo TOKEN | "}cargo ${args.join(" ")}`,
  );
  const { code, stdout, stderr } = await home.cargo(args, {
    cwd: `${home.work}/hello`,
    ...(stdin === undefined ? {} : { stdin }),
    signal,
  });
  for (const line of `${stderr}${stdout}`.trimEnd().split("\n")) {
    print(`    ${line.replaceAll(home.root, "").replaceAll(TOKEN, "TOKEN")}`);
  }
  if (code !== 0) throw new StepError(`cargo ended with status ${code}`);
  if (`${stdout}${stderr}`.includes(TOKEN)) {
    throw new StepError("the token was printed");
  }
  const found = await whereabouts(scene);
  print(styled("cyan", `  the token is ${sentence(found, scene)}`));
  const wanted = after === "nowhere" ? [] : [after];
  if (found.join() !== wanted.join()) {
    throw new StepError(`it should be ${sentence(wanted, scene)}`);
  }
}

async function whereabouts({ home, inStore }: Scene): Promise<Place[]> {
  const places: Place[] = [];
  if ((await home.credentials())?.includes(TOKEN)) places.push("file");
  if (await inStore()) places.push("store");
  return places;
}

function sentence(places: readonly Place[], { storeTitle }: Scene): string {
  const names = places.map((place) =>
    place === "file" ? "in credentials.toml, in plaintext" : `in ${storeTitle}`
  );
  return names.length === 0 ? "nowhere any more" : names.join(" and ");
}

/** What another program finds. */
async function askSecretTool(home: TestHome): Promise<boolean> {
  const { stdout } = await run([
    "/usr/bin/secret-tool",
    "lookup",
    "xdg:schema",
    "org.rust-lang.cargo.registry",
    "url",
    home.registry(REGISTRY).indexUrl,
  ], { env: home.env });
  return stdout === TOKEN;
}

/** What a new process of our own finds that sees no file. */
async function askProgram(home: TestHome): Promise<boolean> {
  const { stdout } = await request(home, { kind: "get", operation: "read" });
  return stdout.includes(TOKEN);
}

async function forget(home: TestHome): Promise<void> {
  await request(home, { kind: "logout" });
}

function request(
  home: TestHome,
  action: Record<string, string>,
): Promise<ProviderResult> {
  const registry = { "index-url": home.registry(REGISTRY).indexUrl };
  return askProvider(home, [{ v: 1, registry, ...action }], {
    env: { CARGO_HOME: `${home.root}/empty` },
  });
}

/** A step that did not do what it must. */
class StepError extends Error {
  override name = "StepError";
}

const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort());
if (Deno.build.os !== "windows") {
  Deno.addSignalListener("SIGTERM", () => interrupt.abort());
}
try {
  await main(interrupt.signal);
  print("\nDone. Nothing is left behind.");
} catch (error) {
  if (interrupt.signal.aborted) {
    print("\nInterrupted. Nothing is left behind.");
    Deno.exit(130);
  }
  if (!(error instanceof StepError) && !(error instanceof SetUpError)) {
    throw error;
  }
  print(styled("red", `\nFailed: ${error.message}`));
  Deno.exit(1);
}
Deno.exit(0);
