// Every store keeps scoped tokens beside a registry's own, in items that a
// search for the very URL does not find.
import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import type { CredentialStore } from "../../src/stores/credential_store.ts";
import { EverySpelling } from "../../src/stores/every_spelling.ts";
import { KeychainStore } from "../../src/stores/keychain.ts";
import { Keyutils } from "../../src/stores/keyutils.ts";
import { SystemdStore } from "../../src/stores/systemd.ts";
import { type Grant, scopedUrl } from "../../src/tokens/scoped.ts";
import { listScoped } from "../../src/tokens/scoped_items.ts";
import { startCredentialService } from "../support/credential_service.ts";
import { KeychainStandIn } from "../support/keychain_stand_in.ts";
import { uniqueIndexUrl } from "../support/kernel_keys.ts";

const GRANT: Grant = {
  scopes: ["publish-update", "yank"],
  crates: ["bar", "foo-*"],
  expires: "2027-02-01",
};

const signal = AbortSignal.timeout(60_000);

async function tokenOf(
  store: CredentialStore,
  indexUrl: string,
): Promise<string> {
  const outcome = await store.get({ indexUrl }, { signal });
  return outcome.kind === "found" ? outcome.token.reveal() : outcome.kind;
}

/** Puts both kinds of token into a store, and takes them out one by one. */
async function check(bare: CredentialStore): Promise<void> {
  const store = new EverySpelling(bare);
  const indexUrl = uniqueIndexUrl();
  const scoped = scopedUrl(indexUrl, GRANT);
  const urlsOf = async (scoped: boolean): Promise<readonly string[]> => {
    const listed = await store.list({ signal, scoped });
    assert(listed.kind === "items");
    return listed.items.map((item) => item.indexUrl)
      .filter((url) => url.startsWith(indexUrl));
  };
  try {
    const put = async (indexUrl: string, text: string): Promise<void> => {
      const token = Secret.fromString(text);
      const key = { indexUrl, name: "example" };
      const stored = await store.set(key, token, { signal });
      assertEquals(stored, { kind: "stored" });
      const kept = await store.verify(key, token, { signal });
      assertEquals(kept.kind, "stored");
    };
    await put(scoped, "scoped");
    assertEquals(await tokenOf(store, indexUrl), "absent");
    await put(indexUrl, "own");
    assertEquals(await tokenOf(store, indexUrl), "own");
    assertEquals(await tokenOf(store, scoped), "scoped");
    assertEquals(await urlsOf(false), [indexUrl]);
    assertEquals(await urlsOf(true), [scoped]);
    const listed = await listScoped(store, indexUrl, { signal });
    assert(listed.kind === "items");
    assertEquals(listed.items.map(({ grant }) => grant), [GRANT]);
    await store.erase({ indexUrl }, { signal });
    assertEquals(await tokenOf(store, scoped), "scoped");
    await store.erase({ indexUrl: scoped }, { signal });
    assertEquals(await urlsOf(true), []);
  } finally {
    await store.erase({ indexUrl }, { signal });
    await store.erase({ indexUrl: scoped }, { signal });
  }
}

if (Deno.build.os === "linux") {
  Deno.test("keyutils keeps scoped tokens apart", () => check(new Keyutils()));

  Deno.test("systemd keeps scoped tokens apart", async () => {
    await using service = await startCredentialService();
    const root = await Deno.makeTempDir({ prefix: "store-" });
    try {
      await check(
        new SystemdStore(`${root}/.cargo`, { socket: service.socket }),
      );
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  // A stand-in takes the Keychain's part: there is none here.
  Deno.test("the Keychain's stand-in keeps scoped tokens apart", async () => {
    const standIn = await KeychainStandIn.compile();
    standIn.reset();
    await check(new KeychainStore(() => standIn.open()));
  });
}
