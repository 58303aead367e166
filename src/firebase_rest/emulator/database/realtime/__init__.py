"""The protocol of Firebase's SDKs: sessions over WebSocket or long polling.

Firebase does not document the protocol. The SDKs, which are open source, implement the client's side.
https://github.com/firebase/firebase-js-sdk/tree/main/packages/database
"""
