// A server made of Fedify, the library of Ghost and Hollo: one person, "ed", who keeps what others tell him.
//
//   node server.mjs             prints "PORT n" when it serves, on 127.0.0.1
//   GET  /heard                 what arrived so far: [{type, actor, object, content, …}]
//   POST /act {"do": …}         ed does something; answers {"id": the id of the post, if he wrote one}
import { createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore } from "@fedify/fedify";
import {
  Accept, Announce, Block, Create, Delete, Endpoints, Follow, Like, Mention, Note, Person, PUBLIC_COLLECTION, Reject, Undo, Update,
} from "@fedify/vocab";
import { serve } from "@hono/node-server";
import { Temporal } from "@js-temporal/polyfill";

const NAME = "ed";
const keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
const followers = new Map(), posts = new Map(), heard = [];
let numbers = 0;

const federation = createFederation({
  kv: new MemoryKvStore(), queue: new InProcessMessageQueue(), allowPrivateAddress: true,
});

federation
  .setActorDispatcher("/users/{identifier}", async (context, name) => {
    if (name !== NAME) return null;
    const pairs = await context.getActorKeyPairs(name);
    return new Person({
      id: context.getActorUri(name), preferredUsername: name, name: "Ed", url: new URL(`/@${name}`, context.url),
      inbox: context.getInboxUri(name), endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      followers: context.getFollowersUri(name), outbox: context.getOutboxUri(name),
      publicKey: pairs[0].cryptographicKey, assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher((_, name) => (name === NAME ? keys : []));
federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({
  items: [...posts.values()].map((post) => creation(post)),
}));
federation.setObjectDispatcher(Note, "/notes/{number}", (_, { number }) => posts.get(number) ?? null);

function keep(activity, more = {}) {
  heard.push({
    type: activity.constructor.name, actor: activity.actorId?.href, object: activity.objectId?.href, ...more,
  });
}

async function keepWords(context, activity) {
  const object = await activity.getObject(context);
  const names = [];
  for await (const tag of object.getTags(context)) names.push(`${tag.constructor.name} ${tag.name}`);
  keep(activity, {
    kind: object.constructor.name, content: `${object.content ?? object.name}`, answers: object.replyTargetId?.href,
    to: object.toIds.map(String), cc: object.ccIds.map(String), names,
  });
}

const inbox = federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: NAME }))
  .on(Follow, async (context, follow) => {
    const who = await follow.getActor(context);
    followers.set(who.id.href, who);
    const id = new URL(`#accepts/${++numbers}`, follow.objectId);
    await context.sendActivity({ identifier: NAME }, who, new Accept({ id, actor: follow.objectId, object: follow }));
    keep(follow);
  })
  .on(Create, keepWords)
  .on(Update, keepWords)
  .on(Undo, async (context, undo) => keep(undo, { kind: (await undo.getObject(context))?.constructor.name }))
  .onError((_, error) => heard.push({ type: "Error", content: `${error.stack}` }));
for (const kind of [Accept, Reject, Like, Announce, Delete, Block]) inbox.on(kind, (_, activity) => keep(activity));

const creation = (note) =>
  new Create({
    id: new URL("#create", note.id), actor: note.attributionId, object: note, tos: note.toIds, ccs: note.ccIds,
  });

async function act(context, { do: what, to, on, answers, text, post }) {
  const me = context.getActorUri(NAME), id = new URL(`/acts/${++numbers}`, context.url);
  const documentLoader = await context.getDocumentLoader({ identifier: NAME });
  const found = (uri) => context.lookupObject(uri, { documentLoader });
  const send = (whom, activity) =>
    context.sendActivity({ identifier: NAME }, whom, activity, { preferSharedInbox: true });
  const audience = { tos: [PUBLIC_COLLECTION], ccs: [context.getFollowersUri(NAME)] };
  if (what === "follow") {
    const whom = await found(to);
    return send(whom, new Follow({ id, actor: me, object: whom.id, to: whom.id }));
  }
  if (what === "say") {
    const parent = answers ? await found(answers) : null;
    const whom = parent ? await parent.getAttribution({ documentLoader }) : to ? await found(to) : null;
    const number = `${numbers}`, direct = to && !answers;
    const note = new Note({
      id: context.getObjectUri(Note, { number }), attribution: me, content: text, replyTarget: parent?.id,
      published: Temporal.Now.instant(), tags: whom ? [new Mention({ href: whom.id, name: `@${whom.preferredUsername}` })] : [],
      ...(direct ? { tos: [whom.id] } : { tos: audience.tos, ccs: [...audience.ccs, ...(whom ? [whom.id] : [])] }),
    });
    posts.set(number, note);
    if (whom) await send(whom, creation(note));
    if (!direct) await send("followers", creation(note));
    return note.id.href;
  }
  if (what === "edit" || what === "delete") {
    const [number, old] = [...posts].find(([, note]) => note.id.href === post);
    posts.delete(number);
    if (what === "delete") return send("followers", new Delete({ id, actor: me, object: old.id, ...audience }));
    const note = old.clone({ content: text, updated: Temporal.Now.instant() });
    posts.set(number, note);
    return send("followers", new Update({ id, actor: me, object: note, ...audience }));
  }
  const thing = await found(on), author = await thing.getAttribution({ documentLoader });
  if (what === "like") return send(author, new Like({ id, actor: me, object: thing.id, to: author.id }));
  if (what === "boost") {
    return send(author, new Announce({ id, actor: me, object: thing.id, published: Temporal.Now.instant(), ...audience }));
  }
  throw new Error(`cannot ${what}`);
}

async function answer(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/heard") return Response.json(heard);
  if (pathname !== "/act") return federation.fetch(request, { contextData: undefined });
  try {
    const context = federation.createContext(new URL("/", request.url), undefined);
    return Response.json({ id: (await act(context, await request.json())) ?? null });
  } catch (error) {
    return Response.json({ error: `${error.stack}` }, { status: 500 });
  }
}

serve({ fetch: answer, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(`PORT ${port}`));
