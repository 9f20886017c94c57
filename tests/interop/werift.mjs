// werift (a WebRTC stack in TypeScript of its own) as WHIP publisher or WHEP viewer.
//
//   node werift.mjs publish URL TOKEN CODEC [trickle]   RTP comes on two UDP ports, printed as "ports VIDEO AUDIO"
//   node werift.mjs watch URL TOKEN CODEC VIDEO AUDIO [trickle]   RTP goes to two UDP ports of 127.0.0.1
//
// It hangs up (DELETE) when its standard input ends. What happens is printed a line each: "connected", "pli N",
// "patched STATUS", "restarted STATUS", "deleted STATUS". "restart" on standard input makes an ICE restart.
import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'

import {
  MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpPacket, useNACK, usePLI, useSdesMid,
} from 'werift'

const [mode, url, token, codec, ...more] = process.argv.slice(2)
const bearer = { Authorization: `Bearer ${token}` }
const FRAGMENT = 'application/trickle-ice-sdpfrag'
const trickle = more.includes('trickle')
const say = (...words) => console.log(words.join(' '))

const parameters = codec === 'h264'
  ? { mimeType: 'video/H264', payloadType: 102,
      parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' }
  : { mimeType: 'video/VP8', payloadType: 96 }
const pc = new RTCPeerConnection({
  iceServers: [],
  codecs: {
    video: [new RTCRtpCodecParameters({ clockRate: 90000, rtcpFeedback: [useNACK(), usePLI()], ...parameters })],
    audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 111 })],
  },
  headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
})
pc.connectionStateChange.subscribe(state => say(state))

const udp = () => new Promise(resolve => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1', () => resolve(socket))
})

async function publish() {
  const ports = []
  for (const kind of ['video', 'audio']) {
    const track = new MediaStreamTrack({ kind })
    const sender = pc.addTransceiver(track, { direction: 'sendonly' }).sender
    let asked = 0
    sender.onPictureLossIndication.subscribe(() => say('pli', ++asked))
    const socket = await udp()
    socket.on('message', data => {
      const packet = RtpPacket.deSerialize(data)
      packet.header.payloadType = kind === 'video' ? parameters.payloadType : 111
      track.writeRtp(packet)
    })
    ports.push(socket.address().port)
  }
  say('ports', ...ports)
}

async function watch() {
  const socket = await udp()
  for (const [place, kind] of ['video', 'audio'].entries()) {
    const transceiver = pc.addTransceiver(kind, { direction: 'recvonly' })
    transceiver.onTrack.subscribe(track => {
      track.onReceiveRtp.subscribe(packet => socket.send(packet.serialize(), Number(more[place]), '127.0.0.1'))
    })
  }
}

const lines = name => pc.localDescription.sdp.split('\r\n').filter(line => line.startsWith(`a=${name}`))

let session, etag
async function patch(fragment, match) {
  const headers = { ...bearer, 'Content-Type': FRAGMENT, 'If-Match': match }
  const body = fragment.join('\r\n') + '\r\n'
  return fetch(session, { method: 'PATCH', headers, body })
}

async function exchange() {
  const offer = await pc.createOffer()
  await pc.setLocalDescription(offer)
  const full = pc.localDescription.sdp
  const bare = full.split('\r\n').filter(line => !/^a=(candidate|end-of-candidates)/.test(line)).join('\r\n')
  const headers = { ...bearer, 'Content-Type': 'application/sdp' }
  const answer = await fetch(url, { method: 'POST', headers, body: trickle ? bare : full })
  say('posted', answer.status)
  if (answer.status !== 201) throw new Error(await answer.text())
  session = new URL(answer.headers.get('Location'), url)
  etag = answer.headers.get('ETag')
  if (trickle) {
    const media = ['m=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ...lines('candidate'), 'a=end-of-candidates']
    say('patched', (await patch([lines('ice-ufrag')[0], lines('ice-pwd')[0], ...media], etag)).status)
  }
  await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
}

async function restart() {
  await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }))
  const answer = await patch([lines('ice-ufrag')[0], lines('ice-pwd')[0]], '*')
  const theirs = (await answer.text()).split('\r\n')
  etag = answer.headers.get('ETag')
  let sdp = pc.remoteDescription.sdp
  for (const name of ['ice-ufrag', 'ice-pwd']) {
    sdp = sdp.replace(new RegExp(`a=${name}:.*`, 'g'), theirs.find(line => line.startsWith(`a=${name}:`)))
  }
  await pc.setRemoteDescription({ type: 'answer', sdp })
  await pc.iceTransports[0].start() // werift itself does not where DTLS is connected already
  say('restarted', answer.status)
}

await (mode === 'publish' ? publish() : watch())
await exchange()
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'restart') await restart()
}
say('deleted', (await fetch(session, { method: 'DELETE', headers: bearer })).status)
await pc.close()
process.exit(0)
