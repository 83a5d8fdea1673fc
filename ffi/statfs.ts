import { cString } from "./_memory.ts";
import { libcName } from "./libc.ts";

const SYMBOLS = {
  statfs: {
    // The plain name is the one with 32-bit inodes on macOS x86-64, statfs(2).
    name: Deno.build.os === "darwin" && Deno.build.arch === "x86_64"
      ? "statfs$INODE64"
      : "statfs",
    parameters: [
      "buffer", // const char *path
      "buffer", // struct statfs *buf
    ],
    result: "i32",
    // A server that is gone may never answer.
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** More than the size of `struct statfs` anywhere (2,344 on FreeBSD). */
const STATFS_SIZE = 4096;

/** What {@linkcode fileSystemKind} tells. */
export interface FileSystem {
  /**
   * - `local`: on this machine
   * - `network`: on another one, or the host of a virtual machine
   * - `fuse`: behind a program, which may do either
   * - `unknown`: the system does not say
   */
  readonly kind: "local" | "network" | "fuse" | "unknown";
  /** Its name for people, such as `NFS`; a number if it has none here. */
  readonly name: string;
}

/**
 * <linux/magic.h>, and the sources of those that are not in it: Lustre
 * (lustre_user.h), GFS2 (gfs2_ondisk.h), vboxsf (super.c), OrangeFS
 * (orangefs-kernel.h), and the ones of coreutils' stat(1) (stat.c).
 */
const REMOTE_MAGICS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x20030528, "OrangeFS"],
  [0xaad7aaea, "PanFS"],
  [0x61636673, "ACFS"],
  [0xbeefdead, "SNFS"],
  [0x013111a8, "IBRIX"],
  [0x786f4256, "VirtualBox shared folder"],
  [0xbacbacbc, "VMware shared folder"],
  [0x7c7c6673, "Parallels shared folder"],
  [0x00c0ffee, "hostfs"],
]);

/** FUSE_SUPER_MAGIC; virtiofs has it too. */
const FUSE_MAGIC = 0x65735546;
/** AUTOFS_SUPER_MAGIC: what will be mounted there is not known yet. */
const AUTOFS_MAGIC = 0x0187;

/**
 * What a Linux `f_type` means.
 *
 * @param magic The lower 32 bits of `f_type`.
 * @returns The kind; whatever is not known to be elsewhere is local.
 */
export function kindOfMagic(magic: number): FileSystem {
  const remote = REMOTE_MAGICS.get(magic);
  if (remote !== undefined) return { kind: "network", name: remote };
  if (magic === FUSE_MAGIC) return { kind: "fuse", name: "FUSE" };
  const name = `0x${magic.toString(16)}`;
  return { kind: magic === AUTOFS_MAGIC ? "unknown" : "local", name };
}

/**
 * What a macOS or FreeBSD `f_fstypename` means.
 *
 * @param name The type's name.
 * @param local Whether the flag `MNT_LOCAL` is set.
 * @returns The kind.
 */
export function kindOfName(name: string, local: boolean): FileSystem {
  if (/fuse/i.test(name)) return { kind: "fuse", name };
  return { kind: local ? "local" : "network", name };
}

/** <sys/mount.h> of XNU (64-bit inodes) and of FreeBSD. */
const MNT_LOCAL = 0x1000;
const FSTYPENAME_LENGTH = 16;
const BSD_LAYOUTS: Readonly<
  Partial<Record<string, { readonly flags: number; readonly name: number }>>
> = {
  darwin: { flags: 64, name: 72 },
  freebsd: { flags: 8, name: 280 },
};

/**
 * Reads what `statfs` has filled in.
 *
 * @param buffer A `struct statfs`.
 * @param os The system whose layout it has.
 * @returns The kind; `unknown` where the layout is not known.
 */
export function parseStatfs(
  buffer: Uint8Array<ArrayBuffer>,
  os: typeof Deno.build.os,
): FileSystem {
  const view = new DataView(buffer.buffer, buffer.byteOffset);
  // f_type comes first, and is a long on x86-64 and arm64.
  if (os === "linux") return kindOfMagic(view.getUint32(0, true));
  const layout = BSD_LAYOUTS[os];
  if (layout === undefined) return { kind: "unknown", name: os };
  const field = buffer.subarray(layout.name, layout.name + FSTYPENAME_LENGTH);
  const end = field.indexOf(0);
  return kindOfName(
    new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)),
    (view.getUint32(layout.flags, true) & MNT_LOCAL) !== 0,
  );
}

/**
 * On what kind of file system a path is. It may take for ever where a server
 * does not answer; the process can end all the same.
 *
 * @param path An existing file or directory; symbolic links are followed.
 * @returns The kind; `unknown` if the system does not say, and on Windows if
 * it is no fixed drive.
 * @throws {Error} If the C library cannot be opened.
 *
 * @example
 * ```ts
 * import { fileSystemKind } from "./statfs.ts";
 *
 * const { kind, name } = await fileSystemKind("/");
 * console.log(kind, name);
 * ```
 */
export async function fileSystemKind(path: string): Promise<FileSystem> {
  if (Deno.build.os === "windows") {
    const { isFixedDrive } = await import("./kernel32.ts");
    return await isFixedDrive(path)
      ? { kind: "local", name: "a fixed drive" }
      : { kind: "unknown", name: "no fixed drive" };
  }
  const { statfs } = Deno.dlopen(libcName(), SYMBOLS).symbols;
  const buffer = new Uint8Array(STATFS_SIZE);
  if (await statfs(cString(path), buffer) !== 0) {
    return { kind: "unknown", name: "unreadable" };
  }
  return parseStatfs(buffer, Deno.build.os);
}
