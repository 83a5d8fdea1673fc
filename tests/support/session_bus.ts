/**
 * A D-Bus session bus of the test's own, with a real gnome-keyring on it.
 *
 * ```ts ignore
 * await using bus = await startSessionBus();
 * await new Deno.Command("cargo", { args, clearEnv: true, env: bus.env }).output();
 * assertEquals((await bus.items()).length, 1);
 * ```
 *
 * Needs Debian's `dbus-daemon`, `dbus-bin`, `gnome-keyring` and `python3-gi`.
 * Nothing of the user's session is seen or touched: the bus listens in a
 * temporary directory, activates only what the test allows, and the keyring's
 * files lie in a throw-away home.
 *
 * @module
 */

const PYTHON = "/usr/bin/python3";
const HELPER = new URL("./session_bus.py", import.meta.url).pathname;
const FAKE = new URL("./fake_secret_service.py", import.meta.url).pathname;

/** The password of the login keyring, and what a scripted prompter types. */
export const KEYRING_PASSWORD = "the login password";

/** The path of the collection that a login creates. */
export const LOGIN_COLLECTION = "/org/freedesktop/secrets/collection/login";

/** The path of gnome-keyring's collection in memory. */
export const SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session";

/** How a bus is to be. */
export interface SessionBusOptions {
  /**
   * Who answers as `org.freedesktop.secrets`:
   *
   * - `unlocked`: gnome-keyring with an open login collection
   * - `locked`: gnome-keyring freshly started on an existing, locked one
   * - `activatable`: as `locked`, but started by the bus when first asked for
   * - `empty`: gnome-keyring where no collection but `session` exists
   * - `plaintext`: gnome-keyring on a default keyring without a password
   * - `in-memory`: as `empty`, and `session` is the default collection (WSL)
   * - `none`: nobody, and nothing can be activated
   * - `slow`: a service that the bus starts and that never comes up (30 s)
   *
   * @default {"unlocked"}
   */
  readonly keyring?:
    | "unlocked"
    | "locked"
    | "activatable"
    | "empty"
    | "in-memory"
    | "plaintext"
    | "none"
    | "slow";
  /**
   * What calls to `org.freedesktop.secrets` the bus refuses with AccessDenied:
   * all, as AppArmor's rules for a snap do, or what those for a snap that may
   * use it do not name.
   */
  readonly denied?: "secrets" | "peer";
}

/** An item to be planted with {@linkcode SessionBus.store}. */
export interface NewItem {
  /** Its attributes, `xdg:schema` among them. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What it holds. */
  readonly secret: string;
  /** Its label. */
  readonly label?: string;
  /** The path of its collection; the default one otherwise. */
  readonly collection?: string;
}

/** An item as the bus shows it. */
export interface BusItem {
  /** Its object path. */
  readonly path: string;
  /** The path of its collection. */
  readonly collection: string;
  /** Its label. */
  readonly label: string;
  /** Its attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Whether it is locked. */
  readonly locked: boolean;
  /** What it holds; `null` while it is locked. */
  readonly secret: string | null;
}

/** What a scripted prompter does with each prompt of the keyring. */
export type PrompterMode = "type" | "dismiss" | "ignore";

/** A scripted prompter: what the keyring asks a person, it answers. */
export interface Prompter extends AsyncDisposable {
  /** The prompts so far (`password` or `confirm`, and their words). */
  readonly prompts: readonly {
    readonly type: string;
    readonly message: string;
  }[];
  /** Ends it. */
  stop(): Promise<void>;
}

/** A Secret Service that misbehaves, as `fake_secret_service.py` says. */
export interface FakeService extends AsyncDisposable {
  /** The methods that were called so far. */
  readonly calls: readonly string[];
}

/** A log of everything that passes over a bus. */
export interface BusMonitor extends AsyncDisposable {
  /**
   * Ends the log.
   *
   * @returns What `dbus-monitor` printed.
   */
  stop(): Promise<string>;
}

/** A running bus. See {@linkcode startSessionBus}. */
export class SessionBus implements AsyncDisposable {
  /** The temporary directory that everything lies in. */
  readonly directory: string;
  /**
   * The whole environment of a session on this bus: for `clearEnv: true`, or
   * to be spread over another one. Holds `DBUS_SESSION_BUS_ADDRESS`, `HOME`,
   * `PATH` and the `XDG_*` directories, and neither a display nor `CI`.
   */
  readonly env: Readonly<Record<string, string>>;
  readonly #daemon: Deno.ChildProcess;
  readonly #denied: boolean;
  #keyring: Deno.ChildProcess | undefined;

  private constructor(
    directory: string,
    env: Readonly<Record<string, string>>,
    daemon: Deno.ChildProcess,
    denied: boolean,
  ) {
    this.#denied = denied;
    this.directory = directory;
    this.env = env;
    this.#daemon = daemon;
  }

  /** As {@linkcode startSessionBus}. */
  static async start(options: SessionBusOptions): Promise<SessionBus> {
    const { keyring = "unlocked", denied } = options;
    const directory = await Deno.makeTempDir({ prefix: "bus-" });
    const address = `unix:path=${directory}/bus`;
    const home = `${directory}/home`;
    const env = {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      DBUS_SESSION_BUS_ADDRESS: address,
      HOME: home,
      XDG_RUNTIME_DIR: `${directory}/run`,
      XDG_DATA_HOME: `${home}/.local/share`,
      XDG_CONFIG_HOME: `${home}/.config`,
      XDG_CACHE_HOME: `${home}/.cache`,
    };
    for (
      const path of [
        env.XDG_DATA_HOME,
        env.XDG_CONFIG_HOME,
        env.XDG_CACHE_HOME,
        env.XDG_RUNTIME_DIR,
        `${directory}/services`,
      ]
    ) {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    }
    await Deno.writeTextFile(
      `${directory}/bus.conf`,
      configuration(address, directory, denied),
    );
    const activated = keyring === "slow"
      ? "sleep 30"
      : keyring === "activatable"
      ? `gnome-keyring-daemon --foreground --components=secrets --control-directory=${directory}/control`
      : undefined;
    if (activated !== undefined) {
      const script = `${directory}/activate`;
      await Deno.writeTextFile(
        script,
        `#!/bin/sh\necho $$ >>${directory}/activated\nexec ${activated} 2>>${directory}/keyring.log\n`,
        { mode: 0o700 },
      );
      await Deno.writeTextFile(
        `${directory}/services/org.freedesktop.secrets.service`,
        `[D-BUS Service]\nName=org.freedesktop.secrets\nExec=${script}\n`,
      );
    }
    const daemon = new Deno.Command("dbus-daemon", {
      args: [
        `--config-file=${directory}/bus.conf`,
        "--nofork",
        "--nopidfile",
        "--nosyslog",
        "--print-address=1",
      ],
      clearEnv: true,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const bus = new SessionBus(
      directory,
      env,
      daemon,
      denied === "secrets",
    );
    try {
      // The address is printed when the bus listens.
      const reader = daemon.stdout.getReader();
      if ((await reader.read()).done) {
        throw new Error("dbus-daemon did not start");
      }
      await reader.cancel();
      await bus.#populate(keyring);
    } catch (error) {
      await bus.stop();
      throw error;
    }
    return bus;
  }

  async #populate(
    keyring: NonNullable<SessionBusOptions["keyring"]>,
  ): Promise<void> {
    switch (keyring) {
      case "none":
      case "slow":
        return;
      case "empty":
        return await this.#startKeyring(false);
      case "plaintext": {
        const keyrings = `${this.env["XDG_DATA_HOME"]}/keyrings`;
        await Deno.mkdir(keyrings);
        await Deno.writeTextFile(
          `${keyrings}/Default_keyring.keyring`,
          "[keyring]\ndisplay-name=Default keyring\nctime=0\nmtime=0\n" +
            "lock-on-idle=false\nlock-after=false\n",
        );
        await Deno.writeTextFile(`${keyrings}/default`, "Default_keyring");
        await this.#startKeyring(false);
        await this.#ask(["open", await this.#default()]);
        return;
      }
      case "in-memory":
        await this.#startKeyring(false);
        return await this.setDefaultCollection(SESSION_COLLECTION);
      case "unlocked":
        return await this.#startKeyring(true);
      case "locked":
        await this.#startKeyring(true);
        return await this.restartKeyringLocked();
      case "activatable":
        await this.#startKeyring(true);
        return await this.stopKeyring();
    }
  }

  async #startKeyring(unlocked: boolean): Promise<void> {
    const log = await Deno.open(`${this.directory}/keyring.log`, {
      append: true,
      create: true,
    });
    log.close();
    const child = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        `exec gnome-keyring-daemon --foreground --components=secrets ` +
        `--control-directory="$0/control" ${unlocked ? "--unlock" : ""} ` +
        `>>"$0/keyring.log" 2>&1`,
        this.directory,
      ],
      clearEnv: true,
      env: this.env,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#keyring = child;
    const writer = child.stdin.getWriter();
    if (unlocked) {
      await writer.write(new TextEncoder().encode(KEYRING_PASSWORD));
    }
    await writer.close();
    await this.#ask([
      unlocked && !this.#denied ? "wait-unlocked" : "wait-owner",
    ]);
  }

  async #ask(args: readonly string[], input = ""): Promise<unknown> {
    const child = new Deno.Command(PYTHON, {
      args: [HELPER, ...args],
      clearEnv: true,
      env: this.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    if (code !== 0) {
      throw new Error(
        `session_bus.py ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`,
      );
    }
    const text = new TextDecoder().decode(stdout).trim();
    return text === "" ? undefined : JSON.parse(text);
  }

  async #default(): Promise<string> {
    return String(await this.#ask(["default"]));
  }

  /** The process id of gnome-keyring; `undefined` if the bus started it. */
  get keyringPid(): number | undefined {
    return this.#keyring?.pid;
  }

  /** Locks a collection: the login collection unless another is named. */
  async lock(collection: string = LOGIN_COLLECTION): Promise<void> {
    await this.#ask(["lock", collection]);
  }

  /** Unlocks a collection with {@linkcode KEYRING_PASSWORD}. */
  async unlock(collection: string = LOGIN_COLLECTION): Promise<void> {
    await this.#ask(["unlock", collection], KEYRING_PASSWORD);
  }

  /** Points the alias `default` at a collection. */
  async setDefaultCollection(collection: string): Promise<void> {
    await this.#ask(["alias", "default", collection]);
  }

  /**
   * Creates another collection, unlocked, with {@linkcode KEYRING_PASSWORD}.
   *
   * @returns Its path.
   */
  async createCollection(label: string): Promise<string> {
    return String(await this.#ask(["collection", label], KEYRING_PASSWORD));
  }

  /** Whether anybody answers as `org.freedesktop.secrets` now. */
  async hasKeyring(): Promise<boolean> {
    return await this.#ask(["owner"]) === true;
  }

  /** Every item in every collection (starts an activatable keyring). */
  async items(): Promise<BusItem[]> {
    // The shape is what session_bus.py prints.
    return await this.#ask(["items"]) as BusItem[];
  }

  /** Plants items, in addition to those that are there. */
  async store(items: readonly NewItem[]): Promise<void> {
    await this.#ask(["store"], JSON.stringify(items));
  }

  /** Stops the keyring and starts it anew: what was in the file is locked. */
  async restartKeyringLocked(): Promise<void> {
    await this.stopKeyring();
    await this.#startKeyring(false);
  }

  /** Sends a signal to gnome-keyring. */
  signalKeyring(signal: Deno.Signal): void {
    this.#keyring?.kill(signal);
  }

  /** Ends gnome-keyring; the bus has forgotten it when this returns. */
  async stopKeyring(): Promise<void> {
    await this.#endKeyring();
    await this.#ask(["wait-no-owner"]);
  }

  async #endKeyring(): Promise<void> {
    const keyring = this.#keyring;
    this.#keyring = undefined;
    if (keyring !== undefined) await end(keyring);
  }

  /**
   * Puts a scripted prompter on the bus.
   *
   * @param mode Whether it types {@linkcode KEYRING_PASSWORD}, dismisses each
   * prompt, or leaves it open.
   * @returns The prompter.
   */
  async startPrompter(
    mode: PrompterMode,
    password: string = KEYRING_PASSWORD,
  ): Promise<Prompter> {
    const prompts: { type: string; message: string }[] = [];
    const stop = await this.#serve(
      [HELPER, "prompter", mode],
      password,
      (line) => prompts.push(JSON.parse(line)),
    );
    return { prompts, stop, [Symbol.asyncDispose]: stop };
  }

  /**
   * Puts a Secret Service on the bus that does what gnome-keyring does not;
   * for a bus with `keyring: "none"`.
   *
   * @param mode What it does.
   * @returns It.
   */
  async startFakeService(
    mode:
      | "dies"
      | "unknown-method"
      | "not-found"
      | "went"
      | "ghost"
      | "opaque",
  ): Promise<FakeService> {
    const calls: string[] = [];
    const stop = await this.#serve(
      [FAKE, mode],
      "",
      (line) => calls.push(line),
    );
    return { calls, [Symbol.asyncDispose]: stop };
  }

  /**
   * Starts a helper that serves on the bus, and waits for its line `ready`.
   *
   * @returns What ends it.
   */
  async #serve(
    args: readonly string[],
    input: string,
    onLine: (line: string) => void,
  ): Promise<() => Promise<void>> {
    const child = new Deno.Command(PYTHON, {
      args: [...args],
      clearEnv: true,
      env: this.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const ready = Promise.withResolvers<void>();
    const reading = (async () => {
      let rest = "";
      for await (
        const text of child.stdout.pipeThrough(new TextDecoderStream())
      ) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line === "ready") ready.resolve();
          else onLine(line);
        }
      }
      ready.reject(new Error(`${args.join(" ")} ended`));
    })();
    await ready.promise;
    return async () => {
      await end(child);
      await reading;
    };
  }

  /** Logs everything that passes over the bus from now on. */
  async startMonitor(): Promise<BusMonitor> {
    const child = new Deno.Command("dbus-monitor", {
      args: ["--session"],
      clearEnv: true,
      env: this.env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let log = "";
    const ready = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (
        const text of child.stdout.pipeThrough(new TextDecoderStream())
      ) {
        log += text;
        // NameLost is the last thing it sees before it listens.
        if (log.includes("NameLost")) ready.resolve();
      }
      ready.reject(new Error("dbus-monitor ended"));
    })();
    await ready.promise;
    const stop = async (): Promise<string> => {
      // What was sent before is delivered before the answer to this.
      await this.#ask(["owner"]);
      await end(child);
      await reading;
      return log;
    };
    return {
      stop,
      [Symbol.asyncDispose]: async () => {
        await stop();
      },
    };
  }

  /** Ends everything that runs on the bus, and removes the directory. */
  async stop(): Promise<void> {
    await this.#endKeyring();
    await end(this.#daemon);
    let activated = "";
    try {
      activated = await Deno.readTextFile(`${this.directory}/activated`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const pid of activated.split("\n").filter(Boolean)) {
      try {
        Deno.kill(Number(pid), "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    try {
      await Deno.remove(this.directory, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** As {@linkcode stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts a bus.
 *
 * @param options How it is to be.
 * @returns The bus, when it and the keyring answer.
 */
export async function startSessionBus(
  options: SessionBusOptions = {},
): Promise<SessionBus> {
  return await SessionBus.start(options);
}

/** A socket that accepts connections and never answers. */
export interface SilentBus extends AsyncDisposable {
  /** Its D-Bus address. */
  readonly address: string;
}

/**
 * Starts what looks like a bus, and hangs whoever talks to it.
 *
 * @returns It.
 */
export async function startSilentBus(): Promise<SilentBus> {
  const directory = await Deno.makeTempDir({ prefix: "bus-" });
  const path = `${directory}/bus`;
  const listener = Deno.listen({ transport: "unix", path });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  return {
    address: `unix:path=${path}`,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      for (const connection of connections) connection.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

function configuration(
  address: string,
  directory: string,
  denied: SessionBusOptions["denied"],
): string {
  const interfaces = denied === undefined ? [] : {
    secrets: ["Secret.Service", "Secret.Collection", "Secret.Item"],
    peer: ["DBus.Peer"],
  }[denied];
  const deny = interfaces.map((name) =>
    `<deny send_interface="org.freedesktop.${name}"/>`
  ).join("");
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${directory}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    ${deny}
  </policy>
  <limit name="service_start_timeout">120000</limit>
</busconfig>
`;
}

/** Ends a process that may have ended, or be stopped, and waits for it. */
async function end(child: Deno.ChildProcess): Promise<void> {
  const kill = (signal: Deno.Signal): void => {
    try {
      child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  };
  kill("SIGTERM");
  kill("SIGCONT");
  const timer = setTimeout(() => kill("SIGKILL"), 2000);
  await child.status;
  clearTimeout(timer);
}
