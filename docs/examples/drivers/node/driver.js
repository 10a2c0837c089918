// An example driver over the contract in docs/driver-contract.md: Node.js alone, snapshots on an Element array.
//
// Run it with `snapproof run --driver 'cmd:node driver.js'`. Its siblings in Go, Java and Python do the same calls in the
// same order under the same names. It keeps its records in one file of its state directory, beside the array's own.

'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');

const DESCRIPTION = { name: 'example-node', version: '1.0', capabilities: ['snapshot-primary', 'accounting'] };
const KINDS = { 'invalid-request': 400, 'not-found': 404, 'not-supported': 501, backend: 502, unavailable: 503 };
const PASSING = new Set(['xDBVersionMismatch', 'xNotPrimary', 'xNotReadyForIO', 'xSliceNotRegistered']);
const GONE = new Set(['xSnapshotIDDoesNotExist', 'xVolumeIDDoesNotExist', 'xVolumeDoesNotExist']);
const PLACES = { primary: 'PRIMARY', secondary: 'SECONDARY' };
const TRIES_MAX = 5;
const NAME_CHARACTERS_MAX = 255;
const LUN_BYTES_MIN = 1_000_000_000;
const METADATA_BYTES = 8 * 2 ** 20; // hosts keep their own beside the disk

/** A refusal: one of KINDS, and a sentence. */
class Problem extends Error {
  constructor(kind, detail) { super(detail); this.kind = kind; }
}
/** The array said no; the message is the name of its error. */
class Refused extends Error {}
/** Nobody knows whether the array did it. */
class Unanswered extends Error {}

/** One life, at one site. */
class Driver {
  constructor(site) {
    this.site = site;
    this.array = site.array;
    this.records = path.join(site.state_directory, 'records.json');
    const kept = fs.existsSync(this.records) ? JSON.parse(fs.readFileSync(this.records)) : { volumes: {}, snapshots: {} };
    this.volumes = kept.volumes;
    this.snapshots = kept.snapshots;
  }

  /** Write the records down, all or nothing. */
  keep() {
    fs.writeFileSync(this.records + '.new', JSON.stringify({ volumes: this.volumes, snapshots: this.snapshots }));
    fs.renameSync(this.records + '.new', this.records);
  }

  /** Ask the array once. Throws Refused or Unanswered. */
  async call(method, params = {}) {
    if (!this.array.url.startsWith('https:')) {
      throw new Problem('unavailable', 'The array shows no certificate, so it is not told the password.');
    }
    const options = {
      method: 'POST', ca: this.array.ca_pem, auth: `${this.array.username}:${this.array.password}`, timeout: 30_000,
      headers: { 'content-type': 'application/json-rpc' }, agent: false,
    };
    const body = JSON.stringify({ method, params, id: 1 });
    const answer = await posted(this.array.url + '/json-rpc/9.0', options, body).catch((error) => {
      throw new Unanswered(`The array gave no answer to ${method}.`, { cause: error });
    });
    if (answer.error) throw new Refused(answer.error.name);
    return answer.result;
  }

  /** Act, and again while that may help; but look first whether an earlier try has worked after all. */
  async insist(act, found = async () => null) {
    for (let tries = 1; ; tries += 1) {
      try {
        return (tries > 1 && await found()) || await act();
      } catch (error) {
        const passing = error instanceof Unanswered || (error instanceof Refused && PASSING.has(error.message));
        if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
        if (!passing || tries === TRIES_MAX) throw new Problem('backend', error.message);
        await new Promise((wake) => setTimeout(wake, 15 * 2 ** tries * (1 + 0.4 * Math.random())));
      }
    }
  }

  /** Delete something; what is gone already is no error. */
  async end(method, params) {
    await this.insist(() => this.call(method, params)).catch((problem) => {
      if (!GONE.has(problem.message)) throw problem;
    });
  }

  /** Find or make the array's account that owns our volumes. */
  async account() {
    const { accounts } = await this.insist(() => this.call('ListAccounts'));
    const ours = accounts.find((row) => row.username === 'example');
    return (ours ?? await this.call('AddAccount', { username: 'example' })).accountID;
  }

  async create_volume({ request }) {
    if (request.from_snapshot || request.from_template) {
      throw new Problem('not-supported', 'This driver makes empty volumes only.');
    }
    const identity = identityOf('volume', request.operation);
    if (!(identity in this.volumes)) {
      const accountID = await this.account();
      const totalSize = Math.max(LUN_BYTES_MIN, request.size_bytes + METADATA_BYTES);
      const { min_iops: minIOPS, max_iops: maxIOPS, burst_iops: burstIOPS } = request.qos;
      const wanted = { name: identity, accountID, totalSize, enable512e: true, qos: { minIOPS, maxIOPS, burstIOPS } };
      const create = async () => (await this.call('CreateVolume', wanted)).volumeID;
      const made = await this.insist(create, () => this.lun(identity));
      const { volumes: [row] } = await this.insist(() => this.call('ListVolumes', { volumeIDs: [made] }));
      const { account, name, size_bytes, qos } = request;
      this.volumes[identity] = { id: identity, target: row.iqn, lun: made, account, name, size_bytes, qos };
      this.keep();
    }
    return this.volumes[identity];
  }

  /** Find the array's volume of this name. */
  async lun(name) {
    const { volumes } = await this.call('ListVolumes', { volumeName: name, volumeStatus: 'active' });
    return volumes[0]?.volumeID;
  }

  list_volumes({ account }) {
    return Object.values(this.volumes).filter((row) => !account || row.account === account);
  }

  async delete_volume({ volume }) {
    await this.end('DeleteVolume', { volumeID: known(this.volumes, volume).lun });
    delete this.volumes[volume];
    this.keep();
  }

  async take_snapshot({ request }) {
    const identity = identityOf('snapshot', request.operation);
    if (!(identity in this.snapshots)) {
      const row = this.snapshots[identity] = this.begun(identity, request);
      this.keep();
      const { lun } = this.volumes[row.volume];
      try {
        const act = async () => (await this.call('CreateSnapshot', { volumeID: lun, name: identity })).snapshot;
        const made = await this.insist(act, () => this.copy(lun, identity));
        this.check(made, lun, identity);
        const reference = `SfSnapshotId=${made.snapshotID}`;
        row.copies = [{ location: 'PRIMARY', reference, physical_size_bytes: row.size_bytes }];
        row.state = 'BackedUp';
      } catch (problem) {
        const stray = await this.insist(() => this.copy(lun, identity));
        if (stray) await this.end('DeleteSnapshot', { snapshotID: stray.snapshotID });
        throw problem;
      } finally {
        this.keep();
      }
    }
    return this.snapshots[identity];
  }

  /** Refuse what cannot be done before anything is begun; else write down what is meant. */
  begun(identity, request) {
    const location = PLACES[(request.location ?? 'primary').trim().toLowerCase()];
    const refuse = (kind, detail) => { throw new Problem(kind, detail); };
    if (!location) refuse('invalid-request', 'A location is PRIMARY or SECONDARY.');
    if (this.site.hypervisor_type === 'VMware') {
      refuse('invalid-request', 'This driver takes no snapshots for VMware hosts.');
    }
    if ([...request.name].length > NAME_CHARACTERS_MAX) {
      refuse('invalid-request', `A name has at most ${NAME_CHARACTERS_MAX} characters.`);
    }
    const volume = Object.hasOwn(this.volumes, request.volume) && this.volumes[request.volume];
    if (!volume) refuse('invalid-request', `There is no volume ${request.volume}.`);
    if (request.quiesce) refuse('not-supported', 'This driver cannot quiesce guests.');
    if (location === 'SECONDARY') refuse('not-supported', 'This driver keeps snapshots on the array only.');
    const about = { account: volume.account, volume: volume.id, size_bytes: volume.size_bytes };
    return { id: identity, name: request.name, location, state: 'Error', copies: [], ...about };
  }

  /** Believe the array only if it speaks of what was asked for. */
  check(made, lun, name) {
    if (made.volumeID !== lun || made.name !== name) {
      throw new Problem('backend', `The array spoke of another snapshot than ${name}.`);
    }
  }

  /** Find the array's snapshot of this name. */
  async copy(lun, name) {
    const { snapshots } = await this.call('ListSnapshots', { volumeID: lun });
    return snapshots.find((row) => row.name === name);
  }

  list_snapshots(wanted) {
    const fits = (row) => ['account', 'volume', 'location'].every((key) => !wanted[key] || row[key] === wanted[key]);
    return Object.values(this.snapshots).filter(fits);
  }

  async delete_snapshot({ snapshot }) {
    for (const copy of known(this.snapshots, snapshot).copies) {
      await this.end('DeleteSnapshot', { snapshotID: Number(copy.reference.split('=')[1]) });
    }
    delete this.snapshots[snapshot];
    this.keep();
  }

  resource_counts({ account }) {
    const done = this.list_snapshots({ account }).filter((row) => row.state === 'BackedUp');
    const used = [...done, ...this.list_volumes({ account })].reduce((sum, row) => sum + row.size_bytes, 0);
    return { snapshots: done.length, secondary_storage_bytes: 0, primary_storage_bytes: used };
  }

  describe() { return DESCRIPTION; }

  /** Do nothing: whatever is half done is looked for when it is asked for again. */
  reconcile() {}

  /** Let go of nothing. */
  close() {}
}

const VERBS = new Set(['describe', 'create_volume', 'list_volumes', 'delete_volume', 'take_snapshot', 'list_snapshots',
  'delete_snapshot', 'resource_counts', 'reconcile', 'close']);

/** Name a thing by the operation that makes it: sent twice, it is one thing, in our list and on the array. */
function identityOf(kind, operation) {
  return `${kind}-${crypto.createHash('sha256').update(operation).digest('hex').slice(0, 24)}`;
}

function known(rows, identity) {
  if (!Object.hasOwn(rows, identity)) throw new Problem('not-found', `There is no ${identity}.`);
  return rows[identity];
}

/** Post a text and read the JSON of an answer that says 200. */
function posted(url, options, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, options, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => {
        try {
          if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
          resolve(JSON.parse(Buffer.concat(parts)));
        } catch (error) { reject(error); }
      });
    });
    request.on('timeout', () => request.destroy(new Error('timeout'))).on('error', reject).end(body);
  });
}

let life = null;
let turn = Promise.resolve(); // one verb at a time

async function answer(verb, asked) {
  if (verb === 'begin') { life = new Driver(asked); return null; }
  if (!VERBS.has(verb)) throw new Problem('not-supported', `This driver has no verb ${verb}.`);
  return (await life[verb](asked)) ?? null;
}

const server = http.createServer((request, response) => {
  const parts = [];
  const say = (status, kind, said) => {
    response.writeHead(status, { 'content-type': kind }).end(JSON.stringify(said));
  };
  request.on('data', (part) => parts.push(part)).on('end', () => {
    const verb = request.url.replace('/v1/', '').replaceAll('-', '_');
    turn = turn.then(() => answer(verb, JSON.parse(Buffer.concat(parts) || '{}'))).then(
      (said) => say(200, 'application/json', said),
      (error) => {
        if (!(error instanceof Problem)) { console.error(error); response.destroy(); return; }
        const status = KINDS[error.kind];
        const said = { type: `urn:snapproof:problem:${error.kind}`, title: error.kind, status, detail: error.message };
        say(status, 'application/problem+json', said);
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: `http://127.0.0.1:${server.address().port}`, contract: '1.0' }));
});
