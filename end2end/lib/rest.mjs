// MLflow's REST API through Flowdeck, with a name and a password as any program sends them.

export class Rest {
  /** @param {string} url without a slash at the end @param {string} name @param {string} password */
  constructor(url, name, password) {
    this.url = url;
    this.name = name;
    this.password = password;
    /** @type {string[]} the experiments that it made */
    this.made = [];
  }

  get authorization() {
    return `Basic ${Buffer.from(`${this.name}:${this.password}`).toString('base64')}`;
  }

  /** The same server as somebody else. @param {string} name @param {string} password */
  as(name, password) {
    return new Rest(this.url, name, password);
  }

  /**
   * @param {string} method @param {string} path below the base path @param {unknown} [body] JSON, or bytes as they are
   * @returns {Promise<Response>}
   */
  async call(method, path, body) {
    const bytes = body instanceof Uint8Array;
    const headers = { authorization: this.authorization, ...(body === undefined || bytes ? {} : { 'content-type': 'application/json' }) };
    const response = await fetch(this.url + path, { method, headers, body: bytes ? body : body === undefined ? undefined : JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    return response;
  }

  /** @param {string} path @param {Record<string, string>} [query] @returns {Promise<any>} */
  async get(path, query) {
    return (await this.call('GET', `/api/2.0/mlflow/${path}${query ? `?${new URLSearchParams(query)}` : ''}`)).json();
  }

  /** @param {string} path @param {unknown} body @returns {Promise<any>} */
  async post(path, body) {
    return (await this.call('POST', `/api/2.0/mlflow/${path}`, body)).json();
  }

  /** @param {string} name @param {Record<string, string>} [tags] @returns {Promise<string>} its id */
  async experiment(name, tags = {}) {
    const { experiment_id: id } = await this.post('experiments/create', { name, tags: pairs(tags) });
    this.made.push(id);
    return id;
  }

  /**
   * A run, complete: `metrics` are values of step 0, or lists of values by step.
   * @param {string} experiment @param {RunSpec} spec @returns {Promise<string>} its id
   */
  async run(experiment, spec) {
    const { name, start = Date.now() - 60_000, seconds = 42, status = 'FINISHED', params = {}, metrics = {}, tags = {} } = spec;
    const all = { 'mlflow.user': this.name, 'mlflow.source.name': 'train.py', ...tags };
    const created = await this.post('runs/create', { experiment_id: experiment, run_name: name, start_time: start, user_id: this.name, tags: pairs(all) });
    const id = created.run.info.run_id;
    const points = Object.entries(metrics).flatMap(([key, values]) =>
      [values].flat().map((value, step) => ({ key, value: number(value), step, timestamp: start + step * 1000 })),
    );
    if (points.length > 0 || Object.keys(params).length > 0) {
      await this.post('runs/log-batch', { run_id: id, metrics: points, params: pairs(params) });
    }
    if (status !== 'RUNNING') await this.post('runs/update', { run_id: id, status, end_time: start + seconds * 1000 });
    return id;
  }

  /** @param {string} experiment @param {string} run @param {string} path @param {string | Uint8Array} body */
  async artifact(experiment, run, path, body) {
    const at = `${experiment}/${run}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;
    await this.call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${at}`, typeof body === 'string' ? new TextEncoder().encode(body) : body);
  }
}

/**
 * @typedef {object} RunSpec
 * @property {string} name
 * @property {number} [start] ms since 1970
 * @property {number} [seconds] how long it took
 * @property {'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED'} [status]
 * @property {Record<string, string>} [params]
 * @property {Record<string, number | number[]>} [metrics]
 * @property {Record<string, string>} [tags]
 */

/** @param {Record<string, string>} map */
export function pairs(map) {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** JSON has no word for these; MLflow reads them as text. @param {number} value */
function number(value) {
  return Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** Does `each` for every item, a few at a time. @template T @param {T[]} items @param {number} width @param {(item: T) => Promise<unknown>} each */
export async function together(items, width, each) {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of rest) await each(item);
    }),
  );
}
