// nginx, twice: as the stub that looks enough like MLflow for Flowdeck to stand before it, and as a proxy before that stub.

import { Program, port, programs } from './program.mjs';

/** Long enough for any run: no connection is closed because it was used often. */
const KEPT = 'keepalive_requests 1000000000; keepalive_timeout 75s;';

/** What MLflow's answers are like, by `run_id`. */
const BODIES = { small: 1024, large: 100 * 1024 };

/** A stand-in for MLflow: `runs/get` answers with a file, `artifacts` are files to read and write. */
export async function stub() {
  const at = await port();
  const program = await start(at, (folder) => ({
    conf: `
      map $http_authorization $is_nobody { default 0; "" 1; }
      server {
        listen 127.0.0.1:${at};
        root ${folder};
        default_type application/json;
        add_header WWW-Authenticate 'Basic realm="mlflow"' always;
        location = /health { return 200 OK; }
        location = /api/3.0/mlflow/server-info { return 200 '{}'; }
        location = /version { if ($is_nobody) { return 401; } return 200 3.17.2; }
        location = /api/2.0/mlflow/users/current {
          if ($is_nobody) { return 401; }
          return 200 '{"user":{"id":1,"username":"admin","is_admin":true},"is_basic_auth":true}';
        }
        location = /api/2.0/mlflow/runs/get { try_files /$arg_run_id.json =404; }
        location /api/2.0/mlflow-artifacts/artifacts/ {
          alias ${folder}/;
          default_type application/octet-stream;
          dav_methods PUT;
          create_full_put_path on;
          client_max_body_size 0;
        }
      }`,
    files: Object.fromEntries(Object.entries(BODIES).map(([name, size]) => [`${name}.json`, body(size)])),
  }));
  return { program, url: `http://127.0.0.1:${at}` };
}

/** A proxy before `upstream`, which streams both ways as Flowdeck does. @param {string} upstream */
export async function proxy(upstream) {
  const at = await port();
  const program = await start(at, () => ({
    conf: `
      upstream stub { server ${new URL(upstream).host}; keepalive 256; ${KEPT} }
      server {
        listen 127.0.0.1:${at};
        client_max_body_size 0;
        location / {
          proxy_pass http://stub;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_request_buffering off;
          proxy_max_temp_file_size 0;
        }
      }`,
  }));
  return { program, url: `http://127.0.0.1:${at}` };
}

/** @param {number} at @param {(folder: string) => { conf: string, files?: Record<string, string> }} prepare */
function start(at, prepare) {
  return Program.start(programs.nginx, `http://127.0.0.1:${at}/health`, (folder) => {
    const { conf, files = {} } = prepare(folder);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n');
    // The workers of a root's nginx would otherwise be somebody who may not read here.
    const text = `
      daemon off;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      worker_processes 1;
      pid ${folder}/nginx.pid;
      events { worker_connections 1024; }
      http { access_log off; sendfile on; tcp_nodelay on; ${KEPT} ${temporary} ${conf} }`;
    return { args: ['-p', folder, '-e', `${folder}/log`, '-c', `${folder}/nginx.conf`], files: { ...files, 'nginx.conf': text } };
  });
}

/** JSON of exactly this many bytes. @param {number} size */
function body(size) {
  const [before, after] = ['{"run":{"data":{"note":"', '"}}}'];
  return before + 'x'.repeat(size - before.length - after.length) + after;
}
