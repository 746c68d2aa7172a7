/**
 * A request that the Python systems' own libraries have made (orjson and cryptography, as openg2p-fastapi-common uses
 * them): the body as `json.dumps` sends it, the signature over what `orjson` makes of it, and the key as the partner
 * management service publishes it.
 */
export const PYTHON_REQUEST = {
  sender: 'my-psp',
  partner: 'PARTNER_MY_PSP',
  kid: 'psp-1',
  body:
    '{"request_header": {"sender_app_mnemonic": "my-psp", "request_id": "REQ-1", "sender_app_ur' +
    'l": "https://psp.example/\\u00e9", "request_timestamp": "2025-06-01T10:00:00.000Z", "instan' +
    'ce_id": null}, "request_body": {"request_payload": [{"amount": 100.0, "text": "tab\\t quote' +
    '\\" slash/ \\u2028 \\ud83d\\ude00"}], "pagination_request": null}}',
  signature:
    'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InBzcC0xIn0..jTXmv3WO2fiXI4Ry2k13d9OhLyYrHDc2UD4s-1p' +
    'Ti6TjR9HmjKP0_osRVGxuyTquzsU5tY9CjEdSgvpE8uch6T4L5A3ox7lcoD1L4Da1yIytOy6kbutgicnrga8oykwAZQKxgyV' +
    'PAq60Y166baRozlK8lR0QP549XJEbgVBxLRqTEorK4zlvAhLJMOkmz3XGl-aTGGtWPpfzLn-n9Svo2w7xq1m4KM47k5xEv3B' +
    '_0g7P9pvO0PDAKj-Ij-l4ZGJzEWG7cq68hoXL8I9JNpIBH00r-61oTaPBiU9W4Yxfb8AjL128o207-V9-S7NMSQJpplpomph' +
    '3_yU8J1TJE0BnVw',
  publicKey: [
    '-----BEGIN PUBLIC KEY-----',
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA52jubfRJYAPoyodXWNBu',
    's3PYEgaW0dGFIvH5Ss0mxc7KBB8gtQV9dL9fJb5H8D/oBlLRbOIEu5y6mkx3SZaO',
    'uwKqDxqbEJVtG5vJO0cGe9zIJX+cDZuwIq0e2rt1us8AYJf+Lx7LLwSoKr0uDDSz',
    'J9Sfqs5BZuiAhItQBu8TpKIWVRHrS/MVa3ZwpGE4H2sSwdtD78BJWoPUZvVan6by',
    '6drwaSUJC1fs8E6NLEYcNOUjOuPIUNMr/O5f19e1mY/jgLRxy9xf3u+Eh2+dMBK0',
    'D+pEVUq6JUFzVgDWQpYIlVG+K7lDez61rJId8QOyNFCFxqzJriYMoubY8kVQSnGc',
    'xwIDAQAB',
    '-----END PUBLIC KEY-----',
  ].join('\n'),
} as const;
