import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BaseError, provideBase } from "../../scripts/denort.ts";

const TARGET = "x86_64-pc-windows-msvc";
const ARCHIVE = `denort-${TARGET}.zip`;
const BYTES = new TextEncoder().encode("a base");

/** A release server on loopback, and an empty cache of Deno's. */
async function withRelease(
  files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
  test: (options: { denoDir: string; releases: string }) => Promise<void>,
): Promise<void> {
  const denoDir = await Deno.makeTempDir();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const body = files[new URL(request.url).pathname.slice(1)];
      return body === undefined
        ? new Response("none", { status: 404 })
        : new Response(body);
    },
  );
  try {
    await test({ denoDir, releases: `http://127.0.0.1:${server.addr.port}` });
  } finally {
    await server.shutdown();
    await Deno.remove(denoDir, { recursive: true });
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

const FOLDER = `v${Deno.version.deno}`;

Deno.test("provideBase() puts what Deno has published into Deno's cache", async () => {
  const sum = await sha256(BYTES);
  await withRelease({
    [`${FOLDER}/${ARCHIVE}`]: BYTES,
    [`${FOLDER}/${ARCHIVE}.sha256sum`]: `${sum}  ${ARCHIVE}\n`,
  }, async (options) => {
    const base = await provideBase(TARGET, { ...options, denortBin: "" });
    assertEquals(base.env, { DENO_DIR: options.denoDir });
    const path = `${options.denoDir}/dl/release/${FOLDER}/${ARCHIVE}`;
    assertEquals(await Deno.readFile(path), BYTES);
  });
});

Deno.test("provideBase() refuses what has another checksum, and keeps none of it", async () => {
  for (
    const published of [`${"0".repeat(64)}  ${ARCHIVE}\n`, "", "not a sum"]
  ) {
    await withRelease({
      [`${FOLDER}/${ARCHIVE}`]: BYTES,
      [`${FOLDER}/${ARCHIVE}.sha256sum`]: published,
    }, async (options) => {
      await assertRejects(
        () => provideBase(TARGET, { ...options, denortBin: "" }),
        BaseError,
        "is not what Deno has published",
      );
      assertEquals([...Deno.readDirSync(options.denoDir)], []);
    });
  }
});

Deno.test("provideBase() asks nobody where the archive is in Deno's cache", async () => {
  await withRelease({}, async ({ denoDir }) => {
    const folder = `${denoDir}/dl/release/${FOLDER}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(`${folder}/${ARCHIVE}`, BYTES);
    const base = await provideBase(TARGET, {
      denoDir,
      denortBin: "",
      releases: "http://127.0.0.1:1",
    });
    assertEquals(base.env, { DENO_DIR: denoDir });
  });
});

Deno.test("provideBase() says what to do where there is no base", async () => {
  await withRelease({}, async (options) => {
    const error = await assertRejects(
      () => provideBase(TARGET, { ...options, denortBin: "" }),
      BaseError,
    );
    assertStringIncludes(error.message, ARCHIVE);
    assertStringIncludes(error.message, "DENORT_BIN");
    assertStringIncludes(error.message, Deno.version.deno);
  });
  await assertRejects(
    () => provideBase(TARGET, { denortBin: "/nowhere/denort" }),
    BaseError,
    "DENORT_BIN names /nowhere/denort",
  );
});
