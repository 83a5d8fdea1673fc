/** One request as the registry saw it. */
export interface RecordedRequest {
  /** The request's method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The `Authorization` header, `null` if there was none. */
  readonly authorization: string | null;
  /** The status of the answer. */
  readonly status: number;
}

/** How a {@linkcode LoopbackRegistry} behaves. */
export interface LoopbackRegistryOptions {
  /**
   * Whether index and downloads want a token too, as private registries do.
   * Publish, yank and owners want one in any case.
   *
   * @default {false}
   */
  readonly authRequired?: boolean;
  /** The tokens it takes; {@linkcode LoopbackRegistry.tokens} can change. */
  readonly tokens?: Iterable<string>;
  /**
   * The scheme that its 401 answers ask for.
   *
   * @default {"Cargo"}
   */
  readonly scheme?: string;
  /**
   * Tokens that may do only some things, as crates.io makes them; each is taken
   * for what needs no scope, too.
   */
  readonly scoped?: Readonly<Record<string, TokenScopes>>;
  /** The `login_url` of its 401 answers; absent: no such parameter. */
  readonly loginUrl?: string;
}

/** What a token may do. */
export interface TokenScopes {
  readonly scopes: readonly string[];
  /** Patterns as of crates.io; absent: all crates. */
  readonly crates?: readonly string[];
}

interface PublishedDependency {
  name: string;
  version_req: string;
  features: string[];
  optional: boolean;
  default_features: boolean;
  target: string | null;
  kind: string;
  registry: string | null;
  explicit_name_in_toml?: string;
}

interface PublishMetadata {
  name: string;
  vers: string;
  description?: string | null;
  deps: PublishedDependency[];
  features: Record<string, string[]>;
  links?: string | null;
  rust_version?: string | null;
}

interface Release {
  readonly metadata: PublishMetadata;
  readonly crate: Uint8Array<ArrayBuffer>;
  readonly cksum: string;
  yanked: boolean;
}

/**
 * A sparse registry on 127.0.0.1 that real cargo can log in to, publish to,
 * yank from and fetch from. It keeps everything in memory and records every
 * request, so that a test can say which host saw which token.
 *
 * The index format and the web API are the ones of the Cargo Book, chapters
 * "Index Format" and "Web API".
 *
 * @example
 * ```ts ignore
 * await using registry = LoopbackRegistry.start({ tokens: ["t0k"] });
 * console.log(registry.indexUrl); // sparse+http://127.0.0.1:40123/index/
 * ```
 */
export class LoopbackRegistry implements AsyncDisposable {
  /** Every request so far, in order. */
  readonly requests: RecordedRequest[] = [];
  /** The tokens that are taken; change it as the test goes. */
  readonly tokens: Set<string>;
  readonly #options: LoopbackRegistryOptions;
  readonly #releases = new Map<string, Release[]>();
  readonly #owners = new Map<string, Set<string>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(options: LoopbackRegistryOptions) {
    this.#options = options;
    this.tokens = new Set(options.tokens);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#serve(request),
    );
  }

  /**
   * Starts a registry on a free port.
   *
   * @param options What it wants a token for, and which it takes.
   * @returns The registry; dispose of it.
   */
  static start(options: LoopbackRegistryOptions = {}): LoopbackRegistry {
    return new LoopbackRegistry(options);
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The index URL as cargo's configuration and the protocol have it. */
  get indexUrl(): string {
    return `sparse+${this.origin}/index/`;
  }

  /** Whether any request so far carried `token`. */
  sawToken(token: string): boolean {
    return this.requests.some((request) =>
      request.authorization?.includes(token) ?? false
    );
  }

  /** The versions of a crate that were published and not yanked. */
  versions(crate: string): string[] {
    return (this.#releases.get(crate) ?? [])
      .filter((release) => !release.yanked)
      .map((release) => release.metadata.vers);
  }

  /** The owners of a crate. */
  owners(crate: string): string[] {
    return [...this.#owners.get(crate) ?? []];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const authorization = request.headers.get("authorization");
    const response = await this.#answer(request, url.pathname, url);
    this.requests.push({
      method: request.method,
      path: url.pathname + url.search,
      authorization,
      status: response.status,
    });
    return response;
  }

  async #answer(
    request: Request,
    path: string,
    url: URL,
  ): Promise<Response> {
    const open = path.startsWith("/index/") || path.startsWith("/dl/") ||
      (path === "/api/v1/crates" && request.method === "GET");
    const authorization = request.headers.get("authorization");
    const authorized = authorization !== null &&
      (this.tokens.has(authorization) ||
        this.#options.scoped?.[authorization] !== undefined);
    if (!authorized && (!open || this.#options.authRequired === true)) {
      return this.#unauthorized();
    }
    if (path === "/index/config.json") return Response.json(this.#config());
    if (path.startsWith("/index/")) return this.#index(path);
    if (path.startsWith("/dl/")) return this.#download(path);
    if (path.startsWith("/api/v1/crates")) {
      return await this.#api(request, path, url);
    }
    return apiError(404, "no such path");
  }

  #unauthorized(): Response {
    const { loginUrl, scheme = "Cargo" } = this.#options;
    return new Response("a token is needed", {
      status: 401,
      headers: {
        "WWW-Authenticate": loginUrl === undefined
          ? scheme
          : `${scheme} login_url="${loginUrl}"`,
      },
    });
  }

  #config(): Record<string, unknown> {
    return {
      dl: `${this.origin}/dl/{crate}/{version}`,
      api: this.origin,
      ...(this.#options.authRequired === true ? { "auth-required": true } : {}),
    };
  }

  #index(path: string): Response {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const releases = this.#releases.get(name);
    if (releases === undefined || path !== `/index/${indexPath(name)}`) {
      return new Response("no such crate", { status: 404 });
    }
    const lines = releases.map((release) => JSON.stringify(indexLine(release)));
    return new Response(lines.join("\n") + "\n");
  }

  #download(path: string): Response {
    const [, , name, version] = path.split("/");
    const release = this.#find(name, version);
    return release === undefined
      ? new Response("no such crate", { status: 404 })
      : new Response(release.crate);
  }

  async #api(request: Request, path: string, url: URL): Promise<Response> {
    const route = `${request.method} ${path}`;
    if (route === "GET /api/v1/crates") {
      return Response.json(this.#search(url.searchParams.get("q") ?? ""));
    }
    if (route === "PUT /api/v1/crates/new") {
      return await this.#publish(
        new Uint8Array(await request.arrayBuffer()),
        request,
      );
    }
    const [, , , , name = "", version, action] = path.split("/");
    const scope = version === "owners" ? "change-owners" : "yank";
    if (!this.#may(request, scope, name)) return forbidden();
    if (version === "owners") return await this.#owner(request, name);
    const release = this.#find(name, version);
    if (release === undefined) return apiError(404, "no such crate");
    if (request.method === "DELETE" && action === "yank") {
      release.yanked = true;
      return Response.json({ ok: true });
    }
    if (request.method === "PUT" && action === "unyank") {
      release.yanked = false;
      return Response.json({ ok: true });
    }
    return apiError(404, "no such path");
  }

  /** Whether the token of a request may do this. */
  #may(request: Request, scope: string, crate: string): boolean {
    const { scoped = {} } = this.#options;
    const token = scoped[request.headers.get("authorization") ?? ""];
    if (token === undefined) return true;
    const { scopes, crates = ["*"] } = token;
    return scopes.includes(scope) &&
      crates.some((pattern) =>
        pattern.endsWith("*")
          ? crate.startsWith(pattern.slice(0, -1))
          : crate === pattern
      );
  }

  async #publish(
    body: Uint8Array<ArrayBuffer>,
    request: Request,
  ): Promise<Response> {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const jsonLength = view.getUint32(0, true);
    const crateLength = view.getUint32(4 + jsonLength, true);
    const crateStart = 8 + jsonLength;
    if (body.length !== crateStart + crateLength) {
      return apiError(400, "the body is not as long as it says");
    }
    const metadata: PublishMetadata = JSON.parse(
      new TextDecoder().decode(body.subarray(4, 4 + jsonLength)),
    );
    const crate = body.slice(crateStart);
    const scope = this.#releases.has(metadata.name)
      ? "publish-update"
      : "publish-new";
    if (!this.#may(request, scope, metadata.name)) return forbidden();
    if (this.#find(metadata.name, metadata.vers) !== undefined) {
      return apiError(
        400,
        `${metadata.name}@${metadata.vers} exists already`,
      );
    }
    const releases = this.#releases.get(metadata.name) ?? [];
    releases.push({
      metadata,
      crate,
      cksum: new Uint8Array(await crypto.subtle.digest("SHA-256", crate))
        .toHex(),
      yanked: false,
    });
    this.#releases.set(metadata.name, releases);
    if (!this.#owners.has(metadata.name)) {
      this.#owners.set(metadata.name, new Set(["publisher"]));
    }
    return Response.json({
      warnings: { invalid_categories: [], invalid_badges: [], other: [] },
    });
  }

  async #owner(request: Request, name: string): Promise<Response> {
    const owners = this.#owners.get(name);
    if (owners === undefined) return apiError(404, "no such crate");
    if (request.method === "GET") {
      return Response.json({
        users: [...owners].map((login, id) => ({ id, login, name: null })),
      });
    }
    const body = await request.text();
    if (body === "") return apiError(400, "no users are named");
    const { users }: { users: string[] } = JSON.parse(body);
    for (const user of users) {
      if (request.method === "PUT") owners.add(user);
      else owners.delete(user);
    }
    return Response.json({ ok: true, msg: `owners of ${name} changed` });
  }

  #search(query: string): Record<string, unknown> {
    const crates = [...this.#releases.entries()]
      .filter(([name]) => name.includes(query))
      .map(([name, releases]) => ({
        name,
        max_version: releases.at(-1)?.metadata.vers,
        description: releases.at(-1)?.metadata.description ?? null,
      }));
    return { crates, meta: { total: crates.length } };
  }

  #find(name?: string, version?: string): Release | undefined {
    return this.#releases.get(name ?? "")?.find((release) =>
      release.metadata.vers === version
    );
  }
}

function forbidden(): Response {
  return apiError(403, "this token does not have the required permissions");
}

function apiError(status: number, detail: string): Response {
  return Response.json({ errors: [{ detail }] }, { status });
}

/** `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcdef` */
function indexPath(name: string): string {
  if (name.length <= 2) return `${name.length}/${name}`;
  if (name.length === 3) return `3/${name[0]}/${name}`;
  return `${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
}

function indexLine(release: Release): Record<string, unknown> {
  const { metadata, cksum, yanked } = release;
  return {
    name: metadata.name,
    vers: metadata.vers,
    deps: metadata.deps.map((dependency) => ({
      name: dependency.explicit_name_in_toml ?? dependency.name,
      req: dependency.version_req,
      features: dependency.features,
      optional: dependency.optional,
      default_features: dependency.default_features,
      target: dependency.target,
      kind: dependency.kind,
      registry: dependency.registry,
      ...(dependency.explicit_name_in_toml === undefined
        ? {}
        : { package: dependency.name }),
    })),
    features: metadata.features,
    cksum,
    yanked,
    links: metadata.links ?? null,
    rust_version: metadata.rust_version ?? null,
  };
}
