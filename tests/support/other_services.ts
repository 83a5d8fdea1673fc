/**
 * Secret Services that are not gnome-keyring, for real: KWallet and KeePassXC,
 * each on a bus and a screen of the test's own.
 *
 * Needs Debian's `keepassxc`, `libkf5wallet-bin`, `libqca-qt5-2-plugins`,
 * `xvfb` and `xdotool`.
 *
 * @module
 */
import { findProgram, missing } from "./requirements.ts";
import { run } from "./run.ts";
import { type SessionBus, startSessionBus } from "./session_bus.ts";

/** The password of every wallet and database here. */
export const PASSWORD = "correct horse";

/** Where KWallet shows the wallet that a login opens. */
export const KWALLET_COLLECTION =
  "/org/freedesktop/secrets/collection/kdewallet";

/** Where KeePassXC shows the database. */
export const KEEPASSXC_COLLECTION = "/org/freedesktop/secrets/collection/db";

/** How a dialog is answered: what is typed first, then which key is pressed. */
export interface DialogAnswer {
  /** What is typed. */
  readonly type?: string;
  /** `Return` accepts, `Escape` dismisses. */
  readonly key: "Return" | "Escape" | "ctrl+l";
}

/** A screen that nobody sees, and a person's hands at it. */
export class Desktop implements AsyncDisposable {
  /** What programs that show windows have in their environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: Deno.ChildProcess;

  private constructor(server: Deno.ChildProcess, display: string) {
    this.#server = server;
    this.env = {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      DISPLAY: `:${display}`,
      QT_QPA_PLATFORM: "xcb",
    };
  }

  /** Starts an X server with the first number that is free. */
  static async start(): Promise<Desktop> {
    await program("xdotool", "xdotool");
    const server = new Deno.Command(await program("Xvfb", "xvfb"), {
      args: ["-displayfd", "1", "-nolisten", "tcp"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let display = "";
    for await (
      const text of server.stdout.pipeThrough(new TextDecoderStream())
    ) {
      display += text;
      if (display.endsWith("\n")) break;
    }
    if (display === "") throw new Error("Xvfb did not start");
    return new Desktop(server, display.trim());
  }

  /** The titles of the windows that are shown. */
  async windows(): Promise<string[]> {
    // It takes several windows only one after another.
    const titles: string[] = [];
    for (const window of await this.#find(".")) {
      const { stdout } = await this.#xdotool("getwindowname", window);
      if (stdout.trim() !== "") titles.push(stdout.trim());
    }
    return titles;
  }

  /**
   * Waits for a window.
   *
   * @param title A regular expression that its title matches.
   * @returns Its number.
   */
  async waitFor(title: string): Promise<string> {
    return await this.#wait(
      `the window "${title}"`,
      async () => (await this.#find(title))[0],
    );
  }

  /**
   * Waits for a dialog, and answers it.
   *
   * @param title A regular expression that its title matches.
   * @param answer How.
   */
  async answer(title: string, answer: DialogAnswer): Promise<void> {
    const window = await this.waitFor(title);
    // A window may be there before it takes keys, so they are pressed until it
    // goes; typing replaces what was typed before.
    for (let tries = 0; tries < 10; tries++) {
      await this.#xdotool("windowfocus", window);
      const { type, key } = answer;
      if (type !== undefined) {
        await this.#xdotool("key", "ctrl+a");
        await this.#xdotool("type", "--delay", "1", type);
      }
      await this.#xdotool("key", key);
      for (let looks = 0; looks < 10; looks++) {
        if (!(await this.#find(title)).includes(window)) return;
        await delay(50);
      }
    }
    throw new Error(`"${title}" does not close`);
  }

  async #wait<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (const end = performance.now() + 10_000; performance.now() < end;) {
      const found = await look();
      if (found !== undefined) return found;
      await delay(50);
    }
    throw new Error(
      `Waited for ${what}; shown are ${JSON.stringify(await this.windows())}`,
    );
  }

  async #find(title: string): Promise<string[]> {
    const { stdout } = await this.#xdotool(
      "search",
      "--onlyvisible",
      "--name",
      title,
    );
    return stdout.split("\n").filter((line) => line !== "");
  }

  #xdotool(...args: string[]): ReturnType<typeof run> {
    return run(["xdotool", ...args], { env: this.env });
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#server);
  }
}

/** A Secret Service with a bus and a screen. */
export class OtherService implements AsyncDisposable {
  /** The bus that it is on. */
  readonly bus: SessionBus;
  /** The screen that it shows its dialogs on. */
  readonly desktop: Desktop;
  readonly #start: (service: OtherService) => Promise<void>;
  #process: Deno.ChildProcess | undefined;

  private constructor(
    bus: SessionBus,
    desktop: Desktop,
    start: (service: OtherService) => Promise<void>,
  ) {
    this.bus = bus;
    this.desktop = desktop;
    this.#start = start;
  }

  /** Brings a bus and a screen up, and starts the service there. */
  static async start(
    start: (service: OtherService) => Promise<void>,
  ): Promise<OtherService> {
    const desktop = await Desktop.start();
    const bus = await startSessionBus({ keyring: "none" });
    const service = new OtherService(bus, desktop, start);
    try {
      await start(service);
    } catch (error) {
      await service[Symbol.asyncDispose]();
      throw error;
    }
    return service;
  }

  /** Ends the service and starts it again, as a new session does. */
  async restart(
    start: (service: OtherService) => Promise<void> = this.#start,
  ): Promise<void> {
    await this.stop();
    await start(this);
  }

  /** Ends the service. */
  async stop(): Promise<void> {
    if (this.#process !== undefined) await end(this.#process);
    this.#process = undefined;
  }

  /** Ends the service as a crash does. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Starts the service's program, and waits until it answers. */
  async spawn(
    command: readonly [string, ...string[]],
    stdin = "",
  ): Promise<void> {
    const [path, ...args] = command;
    const child = new Deno.Command(path, {
      args,
      clearEnv: true,
      // KeePassXC runs once for each temporary directory.
      env: {
        ...this.bus.env,
        ...this.desktop.env,
        TMPDIR: this.bus.directory,
      },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#process = child;
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    for (let tries = 0; !await this.bus.hasKeyring(); tries++) {
      if (tries > 50) throw new Error(`${path} did not come up`);
      await delay(100);
    }
  }

  /**
   * Calls a method on the bus.
   *
   * @param destination Whose.
   * @param path The object.
   * @param method The method, with its interface.
   * @param args Its arguments, as dbus-send(1) writes them.
   * @returns The reply, as dbus-send(1) prints it.
   */
  async call(
    destination: string,
    path: string,
    method: string,
    ...args: readonly string[]
  ): Promise<string> {
    const { code, stdout, stderr } = await run([
      "dbus-send",
      "--session",
      "--print-reply",
      `--dest=${destination}`,
      path,
      method,
      ...args,
    ], { env: this.bus.env });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  /** Ends the service, the screen and the bus. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.bus.stop();
    await this.desktop[Symbol.asyncDispose]();
  }
}

/** The state that KWallet is started in. */
export type WalletState = "none" | "closed" | "opened";

/**
 * Starts KWallet.
 *
 * @param state `none`: there is no wallet; `closed`; `opened` as at a login
 * with pam_kwallet.
 * @returns It.
 */
export async function startKWallet(state: WalletState): Promise<OtherService> {
  if (state === "none") return await OtherService.start(launchKWallet);
  // A wallet that is new is shown as a collection from the next start on.
  const service = await OtherService.start(openKWallet);
  await service.restart(state === "closed" ? launchKWallet : openKWallet);
  return service;
}

/** Starts KWallet and leaves its wallet closed. */
export async function launchKWallet(service: OtherService): Promise<void> {
  await service.spawn([await program("kwalletd5", "libkf5wallet-bin")]);
}

/** Starts KWallet and opens its wallet as pam_kwallet does. */
export async function openKWallet(service: OtherService): Promise<void> {
  await launchKWallet(service);
  const directory = `${service.bus.env["XDG_DATA_HOME"]}/kwalletd`;
  await Deno.mkdir(directory, { recursive: true });
  // pam_kwallet.c: the key is derived here, and KWallet is given the key.
  const salt = new Uint8Array(56).fill(7);
  await Deno.writeFile(`${directory}/kdewallet.salt`, salt);
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(PASSWORD),
    "PBKDF2",
    false,
    ["deriveBits"],
  );
  const hash = new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "PBKDF2", hash: "SHA-512", salt, iterations: 50_000 },
      key,
      56 * 8,
    ),
  );
  await service.call(
    "org.kde.kwalletd5",
    "/modules/kwalletd5",
    "org.kde.KWallet.pamOpen",
    "string:kdewallet",
    `array:byte:${hash.join(",")}`,
    "int32:0",
  );
}

/** How KeePassXC is set up. */
export interface KeePassXcOptions {
  /** Its settings under `[FdoSecrets]`, beside `Enabled`. */
  readonly settings?: Readonly<Record<string, boolean>>;
}

/**
 * Starts KeePassXC with an open database, all of which it shows as a
 * collection.
 *
 * @param options Its settings.
 * @returns It.
 */
export async function startKeePassXc(
  options: KeePassXcOptions = {},
): Promise<OtherService> {
  const keepassxc = await program("keepassxc", "keepassxc");
  const { settings = {} } = options;
  return await OtherService.start(async (service) => {
    const { bus, desktop } = service;
    const database = `${bus.directory}/db.kdbx`;
    const config = `${bus.env["XDG_CONFIG_HOME"]}/keepassxc`;
    await Deno.mkdir(config, { recursive: true });
    await Deno.writeTextFile(
      `${config}/keepassxc.ini`,
      [
        "[General]",
        "ConfigVersion=2",
        "UpdateCheckMessageShown=true",
        "OpenPreviousDatabasesOnStartup=false",
        "[GUI]",
        "CheckForUpdates=false",
        "[FdoSecrets]",
        "Enabled=true",
        ...Object.entries(settings).map(([name, on]) => `${name}=${on}`),
        "",
      ].join("\n"),
    );
    if (!await exists(database)) {
      const xml = `${bus.directory}/db.xml`;
      await Deno.writeTextFile(xml, EXPOSED_DATABASE);
      const { code, stderr } = await run(
        ["keepassxc-cli", "import", "-p", "-t", "100", xml, database],
        {
          env: { ...bus.env, ...desktop.env },
          stdin: `${PASSWORD}\n${PASSWORD}\n`,
        },
      );
      if (code !== 0) throw new Error(stderr);
    }
    await service.spawn(
      [keepassxc, "--pw-stdin", database],
      `${PASSWORD}\n`,
    );
    await desktop.waitFor("^Tokens.* - KeePassXC$");
  });
}

/** Locks KeePassXC's database, as a person does. */
export async function lockKeePassXc(service: OtherService): Promise<void> {
  await service.desktop.answer("^Tokens.* - KeePassXC$", { key: "ctrl+l" });
}

// Which group a database shows is a setting in the database itself:
// FDO_SECRETS_EXPOSED_GROUP in KeePassXC's src/core/CustomData.cpp.
const EXPOSED_DATABASE = `<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
  <Meta>
    <DatabaseName>Tokens</DatabaseName>
    <CustomData>
      <Item>
        <Key>FDO_SECRETS_EXPOSED_GROUP</Key>
        <Value>{01020304-0506-0708-090a-0b0c0d0e0f10}</Value>
      </Item>
    </CustomData>
  </Meta>
  <Root>
    <Group><UUID>AQIDBAUGBwgJCgsMDQ4PEA==</UUID><Name>Root</Name></Group>
  </Root>
</KeePassFile>
`;

async function program(name: string, debianPackage: string): Promise<string> {
  return await findProgram(name) ??
    missing(name, `apt-get install ${debianPackage}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }, 2000);
  await child.status;
  clearTimeout(timer);
}
