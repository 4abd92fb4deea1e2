"use strict";
// The browser's end of a session: it offers, tells candidates, opens two data channels, and does what events ask for.

const MAGIC = [0xf4, 0x72, 0x74, 0x71];
const ECHO = [0xf4, 0x72, 0x74, 0x65];
const PACKET_BYTES = 172;
const HEAD_BYTES = 25;
const INTERVAL_MS = 20;
const PIECE_BYTES = 16384;
const MOST_WAITING = 1 << 20;
const OFFERER = 0;
const ANSWERER = 1;
const TYPES = new Set(["host", "srflx", "prflx", "relay"]);
const RELAY_PROTOCOLS = new Set(["udp", "tcp", "tls"]);
const MOST_PAIRS = 60;

const began = performance.now();
const at = (id) => document.getElementById(id);
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
let hidden = document.visibilityState === "hidden";
document.addEventListener("visibilitychange", () => { hidden ||= document.visibilityState === "hidden"; });

// --- what the person sees: only as text, never as markup ---

function log(words) {
  const item = document.createElement("li");
  item.textContent = `${((performance.now() - began) / 1000).toFixed(1)} s: ${words}`;
  at("log").append(item);
}

function say(word, words, tone) {
  at("word").textContent = word;
  at("summary").textContent = words;
  at("verdict").className = `box ${tone}`;
}

function list(side, candidate) {
  const cell = at(`${side}-${candidate.type}`);
  if (!cell) return;
  const name = candidate.host.endsWith(".local") ? `${candidate.host.slice(0, 8)}….local (name of mDNS)` : candidate.host;
  const host = name.includes(":") ? `[${name}]` : name;
  const tcp = candidate.protocol === "tcp" ? " tcp" : "";
  const line = `${host}:${candidate.port}${tcp}`;
  const lines = new Set(cell.dataset.some ? cell.textContent.split("\n") : []);
  cell.dataset.some = "yes";
  cell.textContent = [...lines.add(line)].join("\n");
}

function none(side) {
  for (const type of ["host", "srflx", "relay"]) {
    const cell = at(`${side}-${type}`);
    if (!cell.dataset.some) cell.textContent = "none";
  }
}

function paragraph(words, more) {
  const made = document.createElement("p");
  if (more) made.className = more;
  made.textContent = words;
  return made;
}

function finding(item) {
  const box = document.createElement("div");
  box.className = "item";
  const badge = document.createElement("span");
  badge.className = `badge ${{ error: "bad", warning: "warn" }[item.severity] ?? "info"}`;
  badge.textContent = item.severity;
  const title = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = item.title;
  title.append(badge, strong);
  box.append(title, paragraph(item.meaning));
  if (item.remedy) box.append(paragraph(`What to do: ${item.remedy}`));
  return box;
}

function show(result) {
  const tones = { healthy: ["Works", "ok"], degraded: ["Works, with flaws", "warn"], broken: ["Broken", "bad"] };
  const [word, tone] = tones[result.status] ?? ["No answer", "warn"];
  say(word, result.summary, tone);
  for (const [label, words] of result.rows) {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = label;
    detail.textContent = words;
    at("rows").append(term, detail);
  }
  at("findings").replaceChildren(...result.findings.map(finding));
  const differences = result.differences.map(finding);
  at("differences").replaceChildren(...(differences.length ? differences : [paragraph("They do not differ in kind.")]));
  none("there");
  none("here");
  log("the result is here; nothing is served any more");
}

// --- talking with rtcdiag, in order ---

let posting = Promise.resolve();
let ended = false;

function post(kind, value = {}) {
  posting = posting.then(async () => {
    if (ended) return;
    const answer = await fetch("said", { method: "POST", body: JSON.stringify({ type: kind, ...value }) });
    if (!answer.ok) throw new Error((await answer.json()).error ?? "rtcdiag does not take it");
  }).catch((error) => fail(error.message));
  return posting;
}

function fail(words) {
  if (ended) return;
  ended = true;
  say("Ended", words, "bad");
  log(words);
}

// --- the browser's own statistics ---

function row(stats, pair, selected) {
  const local = stats.get(pair.localCandidateId) ?? {};
  const remote = stats.get(pair.remoteCandidateId) ?? {};
  if (!TYPES.has(local.candidateType) || !TYPES.has(remote.candidateType)) return null;
  return {
    local_type: local.candidateType,
    local_host: local.address ?? "",
    local_port: local.port ?? 0,
    remote_type: remote.candidateType,
    remote_host: remote.address ?? "",
    remote_port: remote.port ?? 0,
    state: pair.state,
    nominated: Boolean(pair.nominated),
    selected: pair.id === selected || Boolean(pair.selected),
    requests: pair.requestsSent ?? 0,
    answers: pair.responsesReceived ?? 0,
    rtt_ms: pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
    relay_protocol: RELAY_PROTOCOLS.has(local.relayProtocol) ? local.relayProtocol : null,
  };
}

let saidLast = "";

async function tellStats(peer, moment, connected) {
  const stats = await peer.getStats();
  const every = [...stats.values()];
  const selected = every.find((item) => item.type === "transport")?.selectedCandidatePairId;
  const pairs = every.filter((item) => item.type === "candidate-pair").map((pair) => row(stats, pair, selected));
  const rows = pairs.filter(Boolean).sort((one, two) => Number(two.selected) - Number(one.selected)).slice(0, MOST_PAIRS);
  const after = connected === null ? 0 : performance.now() - connected;
  const used = rows.find((item) => item.selected);
  const words = used ? `the browser uses ${used.local_type} to ${used.remote_type}` : "";
  if (words && words !== saidLast) log(words);
  saidLast = words || saidLast;
  await post("stats", { moment, after_ms: after, pairs: rows, hidden });
}

// --- numbered packets ---

function head(magic, session, stream, number, stamp) {
  const data = new Uint8Array(PACKET_BYTES);
  const view = new DataView(data.buffer);
  data.set(magic, 0);
  data.set(session, 4);
  view.setUint8(12, stream);
  view.setUint32(13, number);
  view.setBigUint64(17, stamp);
  return data;
}

function readHead(buffer) {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < HEAD_BYTES) return null;
  const data = new Uint8Array(buffer);
  const view = new DataView(buffer);
  const magic = data.subarray(0, 4).join();
  const kind = magic === MAGIC.join() ? "packet" : magic === ECHO.join() ? "echo" : null;
  const rest = { stream: view.getUint8(12), number: view.getUint32(13), stamp: view.getBigUint64(17) };
  return kind === null ? null : { kind, ...rest };
}

class Packets {
  constructor(channel) {
    this.channel = channel;
    this.sent = 0;
    this.seen = new Set();
    this.trips = new Map();
    channel.binaryType = "arraybuffer";
    channel.onmessage = (event) => this.hear(event.data);
  }

  hear(buffer) {
    const read = readHead(buffer);
    if (read === null) return;
    if (read.kind === "packet" && read.stream === ANSWERER) {
      this.seen.add(read.number);
      const echo = new Uint8Array(buffer.slice(0, HEAD_BYTES));
      echo.set(ECHO, 0);
      if (this.channel.readyState === "open") this.channel.send(echo);
    } else if (read.kind === "echo" && read.stream === OFFERER && !this.trips.has(read.number)) {
      this.trips.set(read.number, performance.now() - Number(read.stamp) / 1e6);
    }
  }

  send(session, packets) {
    this.sending = this.sendAll(session, packets);
    return this.sending;
  }

  async sendAll(session, packets) {
    const start = performance.now();
    while (this.sent < packets && this.channel.readyState === "open") {
      const due = start + this.sent * INTERVAL_MS - performance.now();
      if (due > 0) await wait(due);
      const stamp = BigInt(Math.round(performance.now() * 1e6));
      this.channel.send(head(MAGIC, session, OFFERER, this.sent, stamp));
      this.sent += 1;
    }
  }

  async count(sent) {
    await this.sending;
    for (let left = 50; left > 0 && (this.seen.size < sent || this.trips.size < this.sent); left -= 1) await wait(20);
    const trips = [...this.trips.values()].filter((trip) => trip >= 0).slice(0, 1000);
    log(`${this.seen.size} of ${sent} packets came, ${trips.length} round trips`);
    await post("counted", { sent: this.sent, received: this.seen.size, round_trips_ms: trips, hidden });
  }
}

// --- the reliable channel ---

class Bulk {
  constructor(channel) {
    this.channel = channel;
    this.size = 0;
    this.first = null;
    channel.binaryType = "arraybuffer";
    channel.onmessage = (event) => this.hear(event.data);
  }

  hear(data) {
    const now = performance.now();
    if (data === "end") {
      post("carried", { size_bytes: this.size, ms: this.first === null ? 0 : this.last - this.first });
    } else if (this.first === null) {
      this.first = this.last = now;
    } else {
      this.size += data.byteLength;
      this.last = now;
    }
  }

  async send(ms, most) {
    const start = performance.now();
    const piece = new Uint8Array(PIECE_BYTES);
    let sent = 0;
    while (performance.now() - start < ms && sent < most && this.channel.readyState === "open") {
      if (this.channel.bufferedAmount < MOST_WAITING) {
        this.channel.send(piece);
        sent += PIECE_BYTES;
      } else {
        await wait(5);
      }
    }
    if (this.channel.readyState === "open") this.channel.send("end");
  }
}

// --- the session ---

function browserName() {
  const brands = navigator.userAgentData?.brands ?? [];
  const known = brands.filter((brand) => !/not.?a.?brand/i.test(brand.brand.replace(/[^A-Za-z]/g, ".")));
  const best = known.find((brand) => brand.brand !== "Chromium") ?? known[0];
  if (best) return `${best.brand} ${best.version}`.slice(0, 60);
  const found = /(Firefox|Version|Chrome)\/([0-9]+)/.exec(navigator.userAgent);
  return found ? `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}` : "";
}

function tellCandidates(peer, state) {
  peer.addEventListener("icecandidate", (event) => {
    const candidate = event.candidate;
    if (candidate === null) {
      none("there");
      log("the browser has gathered all");
      // A browser that is connected stops gathering: what it lacks then proves nothing.
      const whole = state.connected === null;
      post("candidate", { candidate: null, gathered_ms: whole ? performance.now() - began : null });
    } else if (candidate.candidate) {
      list("there", { type: candidate.type, protocol: candidate.protocol, host: candidate.address ?? "", port: candidate.port });
      post("candidate", { candidate: candidate.candidate });
    }
  });
  peer.addEventListener("icecandidateerror", (event) => {
    post("server-error", { url: event.url ?? "", code: event.errorCode });
  });
}

function watch(peer, state) {
  peer.addEventListener("iceconnectionstatechange", () => {
    log(`the browser's checks: ${peer.iceConnectionState}`);
    if (peer.iceConnectionState !== "connected" || state.connected !== null) return;
    state.connected = performance.now();
    tellStats(peer, "connected", state.connected);
    wait(2000).then(() => tellStats(peer, "soon", state.connected));
    wait(10000).then(() => tellStats(peer, "later", state.connected));
  });
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function listen(peer, channels, state) {
  const source = new EventSource("events");
  const seen = new Set();
  const on = (name, work) => source.addEventListener(name, async (event) => {
    if (seen.has(event.lastEventId)) return;
    seen.add(event.lastEventId);
    try {
      await work(JSON.parse(event.data));
    } catch (error) {
      fail(`${name}: ${error.message}`);
    }
  });
  let answered = null;
  on("answer", (told) => { answered = peer.setRemoteDescription({ type: "answer", sdp: told.sdp }); return answered; });
  on("candidate", async (told) => {
    await answered;
    if (told.candidate === null) none("here");
    else await peer.addIceCandidate({ candidate: told.candidate, sdpMLineIndex: 0 });
  });
  on("own", (told) => list("here", told));
  on("progress", (told) => log(told.words));
  on("measure", (told) => channels.packets.send(bytes(told.session), told.packets));
  on("count", (told) => channels.packets.count(told.sent));
  on("bulk", (told) => channels.bulk.send(told.ms, told.most));
  on("ended", () => tellStats(peer, "end", state.connected));
  on("result", (told) => { ended = true; source.close(); show(told); peer.close(); });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED || !ended) fail("rtcdiag has ended, or cannot be reached any more");
    source.close();
  });
}

async function main() {
  const settings = await (await fetch("settings")).json();
  const peer = new RTCPeerConnection({ iceServers: settings.iceServers, iceTransportPolicy: settings.policy });
  const channels = {
    packets: new Packets(peer.createDataChannel("packets", { ordered: false, maxRetransmits: 0 })),
    bulk: new Bulk(peer.createDataChannel("bulk")),
  };
  const state = { connected: null };
  tellCandidates(peer, state);
  watch(peer, state);
  window.addEventListener("pagehide", () => {
    if (!ended) fetch("said", { method: "POST", body: JSON.stringify({ type: "left" }), keepalive: true });
  });
  const offer = await peer.createOffer();
  say("Working", "gathering candidates and checking pairs; this takes about 15 seconds", "info");
  post("offer", { sdp: offer.sdp, browser: browserName() });
  await peer.setLocalDescription(offer);
  await posting;
  if (!ended) listen(peer, channels, state);
}

main().catch((error) => fail(error.message));
