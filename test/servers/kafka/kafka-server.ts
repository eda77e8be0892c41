import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { PEERS } from '../../interop/environments.ts';

const RELEASE = '4.4.0';
const START_LIMIT = 60_000;
const STOP_LIMIT = 10_000;
/** Little work is done: what starts quickly is quickest. */
const JAVA = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms128m', '-Xmx768m'];

export const PASSWORD = 'not a secret: ü@/:';

export type KafkaServer = AsyncDisposable & {
  /** `host:port`, for who needs no password. */
  readonly plain: string;
  /** `host:port`, for the user `strata` with the password. */
  readonly secured: string;
  /** Whether it was there or not. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** What the brokers' own client finds in a topic: `partition offset timestamp base64-of-value` in each line. */
  dump(topic: string): Promise<readonly string[]>;
};

/** Installs the broker's jars below .peers, once, and answers their class path. */
async function installKafka(): Promise<string> {
  const folder = join(PEERS, `kafka-${RELEASE}`);
  const jars = join(folder, 'jars');
  if (await exists(join(folder, 'installed'))) return join(jars, '*');
  console.log(`installing Apache Kafka ${RELEASE} into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const kafka = `<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${RELEASE}</version>`;
  const project = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>peers</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies><dependency>${kafka}</dependency></dependencies></project>
`;
  await writeFile(join(folder, 'pom.xml'), project);
  const options = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
  await command('mvn', options, { cwd: folder });
  await writeFile(join(folder, 'installed'), '');
  return join(jars, '*');
}

/** Starts a broker of its own on free ports of this machine that only this machine reaches. Nothing of it is written to last. */
export async function startKafka(): Promise<KafkaServer> {
  const classPath = await installKafka();
  const home = await mkdtemp(join(tmpdir(), 'strata-kafka-'));
  const [plain, secured, controller] = [await freePort(), await freePort(), await freePort()];
  const settings = join(home, 'server.properties');
  await writeFile(settings, properties(home, { plain, secured, controller }));
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'c3RyYXRhLXRlc3RzLTEyMw', '-c', settings, '--standalone'];
  await command('java', ['-cp', classPath, ...JAVA, ...format]);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn('java', ['-cp', classPath, ...JAVA, 'kafka.Kafka', settings], { cwd: home, stdio: 'ignore' });
    await answering(child, `127.0.0.1:${plain}`);
  };
  const stop = async (): Promise<void> => {
    if (child !== undefined) await ended(child);
  };
  const dispose = async (): Promise<void> => {
    await stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (cause) {
    await dispose();
    throw cause;
  }
  return {
    plain: `127.0.0.1:${plain}`,
    secured: `127.0.0.1:${secured}`,
    start,
    stop,
    async dump(topic) {
      const program = join(import.meta.dirname, 'Dump.java');
      const options = ['-cp', classPath, ...JAVA, program, `127.0.0.1:${plain}`, topic];
      const { stdout } = await promisify(execFile)('java', options, { maxBuffer: 1e9 });
      return stdout.split('\n').filter((line) => line !== '');
    },
    [Symbol.asyncDispose]: dispose,
  };
}

type Ports = { readonly plain: number; readonly secured: number; readonly controller: number };

function properties(home: string, { plain, secured, controller }: Ports): string {
  const listeners = `PLAIN://127.0.0.1:${plain},SECURED://127.0.0.1:${secured}`;
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const entries = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'inter.broker.listener.name': 'PLAIN',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,SECURED:SASL_PLAINTEXT',
    'listener.name.secured.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.secured.plain.sasl.jaas.config': `${login} user_strata="${escaped(PASSWORD)}";`,
    'log.dirs': join(home, 'data'),
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'auto.create.topics.enable': false,
  };
  return Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Files of properties are Latin-1. */
function escaped(text: string): string {
  return text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function answering(child: ChildProcess, broker: string): Promise<void> {
  for (const began = Date.now(); Date.now() - began < START_LIMIT; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`Kafka ended with ${child.exitCode}`);
    const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [broker], retries: 0, connectTimeout: 1_000 });
    const found = await admin.listTopics().catch(() => undefined);
    await admin.close();
    if (found !== undefined) return;
  }
  throw new Error(`Kafka was not ready in ${START_LIMIT} ms`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
  await exit.finally(() => clearTimeout(late));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function command(file: string, args: readonly string[], options: { readonly cwd?: string } = {}): Promise<void> {
  await promisify(execFile)(file, [...args], options);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
