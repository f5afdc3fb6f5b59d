// DuckDB on two threads behind a line protocol, as one of the contestants: each line on standard input is {"sql"} and is answered by one line
// {"ms","cpuMs","rows","first"} once the whole answer has been fetched, or {"error"}. Usage: node duckdb.mjs FILE (npm i @duckdb/node-api first).
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

// The package lies where the data is, not beside this script.
const require = createRequire(join(process.cwd(), 'package.json'));
const { DuckDBInstance } = await import(pathToFileURL(require.resolve('@duckdb/node-api')).href);
const instance = await DuckDBInstance.create(process.argv[2], { threads: '2' });
const connection = await instance.connect();

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { sql } = JSON.parse(line);
    const cpu = process.cpuUsage();
    const started = performance.now();
    const result = await connection.run(sql);
    const chunks = await result.fetchAllChunks();
    const ms = performance.now() - started;
    const used = process.cpuUsage(cpu);
    const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
    const first = rows === 1 ? String(chunks.find(c => c.rowCount > 0).getColumnValues(0)[0]) : null;
    console.log(JSON.stringify({ ms, cpuMs: (used.user + used.system) / 1000, rows, first }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error).slice(0, 500) }));
  }
}
connection.closeSync();
