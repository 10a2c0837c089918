// Runs in Node beside npm's unmodified xen-api: does what an orchestrator does, and prints what it saw as one JSON line.
// Arguments: the folder with node_modules, the pool's URL, user, password, the transport to use,
// and a UUID for the SR that it introduces.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [folder, url, user, password, transport, uuid] = process.argv.slice(2)
const { createClient } = await import(pathToFileURL(createRequire(`${folder}/`).resolve('xen-api')).href)

const client = createClient({
  url,
  auth: { user, password },
  transport,
  debounce: 10,
  watchEvents: ['pool', 'host', 'task', 'VM', 'SR'],
})
await client.connect()
await client.objectsFetched
const saw = {}

const hosts = Object.values(client.objects.all).filter(object => object.$type === 'host')
saw.hosts = hosts.map(host => host.name_label).sort()
saw.master = client.pool.$master.name_label
saw.version = typeof (await client.getField('host', hosts[0].$ref, 'API_version_major'))

const seen = name => new Promise(resolve => {
  const look = () => {
    const found = Object.values(client.objects.all).find(object => object.name_label === name)
    if (found !== undefined) resolve(found)
  }
  client.objects.on('add', look)
  client.objects.on('update', look)
  look()
})

const ref = await client.call('VM.create', { name_label: 'fresh' })
const vm = await seen('fresh')
saw.sameRef = vm.$ref === ref
await vm.set_name_label('renamed')
saw.renamed = (await seen('renamed')).$ref === ref
await vm.update_other_config('key', 'value')
saw.otherConfig = await client.getField('VM', ref, 'other_config')

const sr = await client.callAsync('SR.introduce', uuid, 'label', '', 'file', 'user', true)
saw.introduced = (await client.call('SR.get_by_uuid', uuid)) === sr
saw.capacity = await client.getField('SR', sr, 'physical_size')

try {
  await client.call('VM.start', 'OpaqueRef:nobody', false, false)
} catch (error) {
  saw.refused = [error.code, error.params]
}
try {
  await client.callAsync('SR.scan', sr)
} catch (error) {
  saw.failedTask = error.code
}
await client.disconnect()
console.log(JSON.stringify(saw))
process.exit(0)
