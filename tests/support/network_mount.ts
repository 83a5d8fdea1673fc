import { findProgram, missing } from "./requirements.ts";
import { run } from "./run.ts";

/** The server's half, which ssh starts elsewhere; not in `PATH`. */
const SFTP_SERVERS = [
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  "/usr/lib/ssh/sftp-server",
];

/**
 * Mounts a folder as another machine's: with sshfs over a connection on
 * loopback, at whose other end is OpenSSH's server for files.
 *
 * @returns Disposing of it unmounts.
 */
export async function mountOverNetwork(
  folder: string,
  mount: string,
): Promise<AsyncDisposable> {
  const sshfs = await findProgram("sshfs") ??
    missing("sshfs", "apt-get install sshfs");
  const server = await firstFile(SFTP_SERVERS) ??
    missing("sftp-server", "apt-get install openssh-sftp-server");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = serve(listener, server);
  const env = { PATH: Deno.env.get("PATH") ?? "" };
  const mounted = await run([
    sshfs,
    "-o",
    `directport=${listener.addr.port}`,
    `127.0.0.1:${folder}`,
    mount,
  ], { env });
  listener.close();
  if (mounted.code !== 0) {
    throw new Error(`${mount} is not mounted: ${mounted.stderr}`);
  }
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await run(["fusermount3", "-u", mount], { env });
      await served;
    },
  };
}

/** Gives the first connection to a server of its own. */
async function serve(listener: Deno.Listener, server: string): Promise<void> {
  let connection: Deno.Conn;
  try {
    connection = await listener.accept();
  } catch {
    return; // It was never made.
  }
  const child = new Deno.Command(server, {
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // It may end in either direction first.
  await Promise.allSettled([
    connection.readable.pipeTo(child.stdin),
    child.stdout.pipeTo(connection.writable),
    child.status,
  ]);
}

async function firstFile(
  paths: readonly string[],
): Promise<string | undefined> {
  for (const path of paths) {
    if (await Deno.stat(path).catch(() => undefined) !== undefined) return path;
  }
  return undefined;
}
