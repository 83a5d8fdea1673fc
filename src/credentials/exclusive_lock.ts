/** Cargo's lock on an open file. Disposing of it gives it back. */
export interface ExclusiveLock extends Disposable {
  /** Takes the lock without waiting. */
  tryLock(): Promise<boolean>;
}

/**
 * The lock that cargo takes on the whole of the credentials file (cargo:
 * `util/flock.rs`). On Windows what another handle has locked cannot be read,
 * by cargo's start least of all: there the lock is on a byte behind the end.
 */
export async function exclusiveLock(
  path: string,
  file: Deno.FsFile,
): Promise<ExclusiveLock> {
  if (Deno.build.os !== "windows") {
    return {
      tryLock: () => file.tryLock(true),
      [Symbol.dispose](): void {
        // A process that is being started may still have the file open, too.
        file.unlockSync();
      },
    };
  }
  const { WindowsFileLock } = await import("../../ffi/file_lock.ts");
  let lock: Disposable | undefined;
  return {
    tryLock: () => {
      lock ??= WindowsFileLock.tryLock(path);
      return Promise.resolve(lock !== undefined);
    },
    [Symbol.dispose](): void {
      lock?.[Symbol.dispose]();
    },
  };
}
