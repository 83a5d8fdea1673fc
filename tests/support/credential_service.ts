import { setUpSystemd, whyNoSystemd } from "../harness/systemd.ts";
import { run } from "./run.ts";
import { startStandIn } from "./credential_service_stand_in.ts";

/** A user of the service who is not the one that runs the tests. */
export const ANOTHER_UID = 61_001;

/** A running credential service of one machine. */
export interface CredentialService extends AsyncDisposable {
  /** Whether it is systemd's own, and no stand-in. */
  readonly real: boolean;
  /** Where it listens. */
  readonly socket: string;
  /**
   * Has another program of this user encrypt something.
   *
   * @param name The credential's name.
   * @param text What it holds.
   * @param uid Who asks; absent: the user who runs the tests.
   * @returns The credential in Base64.
   */
  encrypt(name: string, text: string, uid?: number): Promise<string>;
  /**
   * Has another program of this user decrypt something.
   *
   * @param name The credential's name.
   * @param blob The credential in Base64.
   * @returns What it holds.
   */
  decrypt(name: string, blob: string): Promise<string>;
}

let told = false;

/**
 * Starts the credential service of a new machine: systemd 257's own where this
 * machine can have it, else a stand-in for its protocol, which is said once.
 *
 * @returns The service; dispose of it.
 */
export async function startCredentialService(): Promise<CredentialService> {
  const reason = await whyNoSystemd();
  if (reason === undefined) return await startSystemd();
  if (!told) {
    told = true;
    const line = `A stand-in takes the part of systemd's service: ${reason}\n`;
    await Deno.stderr.write(new TextEncoder().encode(line));
  }
  return await startStandIn();
}

const INSIDE = "/run/systemd/io.systemd.Credentials";

/**
 * The beginning of a command that runs where this service is the machine's own:
 * in a mount namespace with the socket in its place.
 *
 * @param service The service.
 * @returns What stands before the command.
 */
export function onMachineOf(
  service: Pick<CredentialService, "socket">,
): readonly [string, ...string[]] {
  // Who is not root becomes the root of a user namespace.
  const become = Deno.uid() === 0 ? [] : ["--user", "--map-root-user"];
  const script = "mount -t tmpfs none /run && mkdir /run/systemd && " +
    `: >${INSIDE} && mount --bind "$0" ${INSIDE} && exec "$@"`;
  return [
    "unshare",
    ...become,
    "--mount",
    "/bin/sh",
    "-c",
    script,
    service.socket,
  ];
}

/** A copy of systemd's folder, with a host key and a machine ID of its own. */
async function startSystemd(): Promise<CredentialService> {
  const directory = await Deno.makeTempDir({ prefix: "systemd-" });
  await Deno.chmod(directory, 0o755);
  const root = `${directory}/root`;
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin" };
  const enter = async (
    command: readonly string[],
    stdin = "",
    uid = 0,
  ): Promise<string> => {
    const { code, stdout, stderr } = await run([
      "chroot",
      `--userspec=${uid}:${uid}`,
      root,
      ...command,
    ], { env, stdin });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };

  const source = await setUpSystemd();
  // Only files that are not there yet are written below. Links need one file
  // system for both.
  const linked = ["cp", "--archive", "--link", source, root] as const;
  if ((await run(linked, { env })).code !== 0) {
    await run(["cp", "--archive", "--remove-destination", source, directory], {
      env,
    });
  }
  const id = crypto.randomUUID().replaceAll("-", "");
  await Deno.writeTextFile(`${root}/etc/machine-id`, `${id}\n`);
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    [0, ANOTHER_UID].map((uid) => `u${uid}:x:${uid}:${uid}::/:/bin/false\n`)
      .join(""),
  );
  await enter(["/usr/bin/systemd-creds", "setup"]);
  // As systemd-creds.socket has it.
  const child = new Deno.Command("chroot", {
    args: [
      root,
      "/usr/bin/systemd-socket-activate",
      "--accept",
      "--fdname=varlink",
      `--listen=${INSIDE}`,
      "/usr/bin/systemd-creds",
    ],
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const socket = `${root}${INSIDE}`;
  await waitFor(socket);
  await Deno.chmod(socket, 0o666);
  return {
    real: true,
    socket,
    encrypt: async (name, text, uid) =>
      (await enter(
        [
          "/usr/bin/systemd-creds",
          "--user",
          `--name=${name}`,
          "encrypt",
          "-",
          "-",
        ],
        text,
        uid,
      )).replaceAll("\n", ""),
    decrypt: (name, blob) =>
      enter(
        [
          "/usr/bin/systemd-creds",
          "--user",
          `--name=${name}`,
          "decrypt",
          "-",
          "-",
        ],
        blob,
      ),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** @throws {Error} If it does not come within 20 seconds. */
async function waitFor(path: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${path} did not come`);
}
