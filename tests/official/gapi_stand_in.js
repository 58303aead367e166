// The part of https://apis.google.com/js/api.js that the web SDK for Auth uses: frames that call each other's handlers.
// Tests run without the Internet. Loaded by the application's page and by the emulator's iframe.
(() => {
  'use strict';

  const handlers = {};
  const waiting = {};
  let number = 0;

  const channel = (peer) => ({
    register(name, handler) { handlers[name] = handler; },
    send(name, data, callback) {
      number += 1;
      waiting[number] = callback;
      peer().postMessage({ gapi: 'call', name, data, number }, '*');
    },
  });

  window.addEventListener('message', async ({ data, source }) => {
    if (data?.gapi === 'call') {
      while (!handlers[data.name]) await new Promise((resolve) => setTimeout(resolve, 10));
      source.postMessage({ gapi: 'result', number: data.number, result: [await handlers[data.name](data.data)] }, '*');
    } else if (data?.gapi === 'result') {
      waiting[data.number]?.(data.result);
    }
  });

  function open({ url, where, attributes }, ready) {
    const frame = document.createElement('iframe');
    frame.src = url;
    Object.assign(frame.style, attributes.style);
    const loaded = new Promise((resolve) => { frame.onload = resolve; });
    where.appendChild(frame);
    const iframe = {
      ...channel(() => frame.contentWindow),
      restyle: async () => {},
      ping: (callback) => new Promise((resolve) => iframe.send('ping', null, () => { callback(); resolve(); })),
    };
    return loaded.then(() => ready(iframe));
  }

  handlers.ping = () => 'pong';
  window.gapi = {
    load: (_, { callback }) => callback(),
    iframes: {
      CROSS_ORIGIN_IFRAMES_FILTER: () => true,
      getContext: () => ({ open, getParentIframe: () => channel(() => window.parent) }),
    },
  };
  const onload = new URL(document.currentScript.src).searchParams.get('onload') ?? 'gapi_onload';
  window[onload]?.();
})();
