import { describe, expect, test } from "vitest";
import {
  BODY_SEND_MODE,
  HEADER_SEND_MODE,
  decodeHealthCheckRequest,
  decodeHealthCheckResponse,
  decodeProcessingRequest,
  decodeProcessingResponse,
  encodeHealthCheckRequest,
  encodeHealthCheckResponse,
  encodeProcessingRequest,
  encodeProcessingResponse,
} from "../../src/grpc/protos.ts";
import type { ProcessingResponse } from "../../src/grpc/protos.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
/** A field of wire type 2: tag, length, content. Written by hand, so that the field numbers are checked by something else. */
const field = (number: number, ...content: readonly (Buffer | number)[]): Buffer => {
  const body = Buffer.concat(content.map((part) => (typeof part === "number" ? Buffer.from([part]) : part)));
  return Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), body]);
};
const flag = (number: number, value = 1): Buffer => Buffer.from([number << 3, value]);

describe("decodeProcessingRequest()", () => {
  const headerMap = field(1, field(1, bytes("a")), field(3, bytes("b")));

  test.each([
    [2, "requestHeaders"],
    [3, "responseHeaders"],
  ] as const)("reads field %i as %s", (number, kind) => {
    const message = decodeProcessingRequest(field(number, field(1, headerMap), flag(3)));
    expect(message.request).toBe(kind);
    const headers = message.request === "requestHeaders" ? message.requestHeaders : undefined;
    const either = message.request === "responseHeaders" ? message.responseHeaders : headers;
    expect(either?.endOfStream).toBe(true);
    expect(either?.headers?.headers).toEqual([["a", "b"]]);
  });

  test.each([
    [4, "requestBody"],
    [5, "responseBody"],
  ] as const)("reads field %i as %s", (number, kind) => {
    const message = decodeProcessingRequest(field(number, field(1, bytes("{}")), flag(2)));
    expect(message.request).toBe(kind);
    const body = message.request === "requestBody" ? message.requestBody : undefined;
    const either = message.request === "responseBody" ? message.responseBody : body;
    expect(either?.endOfStream).toBe(true);
    expect(String(either?.body)).toBe("{}");
  });

  test.each([
    [6, "requestTrailers"],
    [7, "responseTrailers"],
  ] as const)("reads field %i as %s", (number, kind) => {
    const message = decodeProcessingRequest(field(number, field(1, headerMap)));
    expect(message.request).toBe(kind);
    const trailers = message.request === "requestTrailers" ? message.requestTrailers : undefined;
    const either = message.request === "responseTrailers" ? message.responseTrailers : trailers;
    expect(either?.trailers?.headers).toEqual([["a", "b"]]);
  });

  test("reads attributes, metadata, observability mode and the protocol configuration", () => {
    const struct = field(1, field(1, bytes("k")), field(2, field(3, bytes("v")))); // Struct.fields { k: { string_value: v } }
    const message = decodeProcessingRequest(
      Buffer.concat([
        field(8, field(1, field(1, bytes("ns")), field(2, struct))),
        field(9, field(1, bytes("ext_proc")), field(2, struct)),
        flag(10),
        field(11, flag(1, 2), flag(2, 1)),
      ]),
    );
    const value = { stringValue: "v" };
    expect(message.metadataContext?.filterMetadata["ns"]?.fields["k"]).toMatchObject(value);
    expect(message.attributes["ext_proc"]?.fields["k"]).toMatchObject(value);
    expect(message.attributes["ext_proc"]?.fields["k"]?.kind).toBe("stringValue");
    expect(message.observabilityMode).toBe(true);
    expect(message.protocolConfig).toMatchObject({
      requestBodyMode: BODY_SEND_MODE.BUFFERED,
      responseBodyMode: BODY_SEND_MODE.STREAMED,
    });
  });

  test("gives every field that was not sent its default", () => {
    const message = decodeProcessingRequest(field(4));
    expect(message).toMatchObject({
      metadataContext: null,
      attributes: {},
      observabilityMode: false,
      protocolConfig: null,
    });
    expect(message.request === "requestBody" && message.requestBody.endOfStream).toBe(false);
    expect(message.request === "requestBody" && message.requestBody.body).toEqual(new Uint8Array(0));
    const headers = decodeProcessingRequest(field(2, field(1, field(1, field(1, bytes("a"))))));
    const list = headers.request === "requestHeaders" ? headers.requestHeaders.headers?.headers : undefined;
    expect(list).toEqual([["a", ""]]);
  });

  test("skips fields that our subset does not have", () => {
    expect(
      decodeProcessingRequest(Buffer.concat([field(13, bytes("window")), field(4, flag(3), field(1, bytes("x")))]))
        .request,
    ).toBe("requestBody");
    expect(decodeProcessingRequest(field(13, bytes("window"))).request).toBeUndefined();
  });

  test("keeps a namespace called __proto__ as an ordinary key", () => {
    const message = decodeProcessingRequest(
      field(9, field(1, bytes("__proto__")), field(2, field(1, field(1, bytes("k"))))),
    );
    expect(Object.keys(message.attributes)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf({})).not.toHaveProperty("fields");
  });

  test("throws on bytes that are no message", () => {
    expect(() => decodeProcessingRequest(Buffer.from([0x22, 0x05, 0x01]))).toThrow();
  });

  test("reads what encodeProcessingRequest() writes", () => {
    const message = decodeProcessingRequest(
      encodeProcessingRequest({
        requestHeaders: { headers: { headers: [{ key: ":path", rawValue: bytes("/mcp") }] }, endOfStream: true },
        protocolConfig: { requestBodyMode: BODY_SEND_MODE.FULL_DUPLEX_STREAMED },
      }),
    );
    expect(message.request).toBe("requestHeaders");
    expect(message.protocolConfig?.requestBodyMode).toBe(4);
  });
});

describe("encodeProcessingResponse()", () => {
  const common = { response: { headerMutation: { removeHeaders: ["a"] } } };
  const commonBytes = field(1, field(2, field(2, bytes("a"))));

  test.each<[number, ProcessingResponse, Buffer]>([
    [1, { requestHeaders: common }, commonBytes],
    [2, { responseHeaders: common }, commonBytes],
    [3, { requestBody: common }, commonBytes],
    [4, { responseBody: common }, commonBytes],
    [5, { requestTrailers: { headerMutation: { removeHeaders: ["a"] } } }, field(1, field(2, bytes("a")))],
    [6, { responseTrailers: { headerMutation: { removeHeaders: ["a"] } } }, field(1, field(2, bytes("a")))],
    [
      7,
      {
        immediateResponse: {
          status: { code: 99 },
          body: bytes("no"),
          details: "why",
          headers: { removeHeaders: ["a"] },
        },
      },
      Buffer.concat([
        field(1, flag(1, 99)),
        field(2, field(2, bytes("a"))),
        field(3, bytes("no")),
        field(5, bytes("why")),
      ]),
    ],
  ])("writes field %i", (number, response, content) => {
    expect(Buffer.from(encodeProcessingResponse(response)).toString("hex")).toBe(
      field(number, content).toString("hex"),
    );
  });

  test("writes mutations, metadata and the mode override under Envoy's numbers", () => {
    const response: ProcessingResponse = {
      requestBody: {
        response: {
          headerMutation: { setHeaders: [{ header: { key: "a", rawValue: bytes("b") } }] },
          bodyMutation: { body: bytes("{}") },
        },
      },
      dynamicMetadata: { fields: { k: { boolValue: true } } },
      modeOverride: {
        requestHeaderMode: HEADER_SEND_MODE.SKIP,
        responseHeaderMode: HEADER_SEND_MODE.SEND,
        requestBodyMode: BODY_SEND_MODE.BUFFERED,
        responseBodyMode: BODY_SEND_MODE.STREAMED,
        requestTrailerMode: HEADER_SEND_MODE.SKIP,
        responseTrailerMode: HEADER_SEND_MODE.SEND,
      },
    };
    const expected = Buffer.concat([
      field(
        3,
        field(
          1,
          field(2, field(1, field(1, field(1, bytes("a")), field(3, bytes("b"))))),
          field(3, field(1, bytes("{}"))),
        ),
      ),
      field(8, field(1, field(1, bytes("k")), field(2, flag(4)))),
      field(9, flag(1, 2), flag(2, 1), flag(3, 2), flag(4, 1), flag(5, 2), flag(6, 1)),
    ]);
    const encoded = encodeProcessingResponse(response);
    expect(Buffer.from(encoded).toString("hex")).toBe(expected.toString("hex"));
    expect(decodeProcessingResponse(encoded)).toEqual(response);
  });

  test.each([
    [{ clearBody: true }, flag(2)],
    [{ streamedResponse: { body: bytes("x"), endOfStream: true } }, field(3, field(1, bytes("x")), flag(2))],
  ] as const)("writes the body mutation %o", (bodyMutation, content) => {
    const encoded = encodeProcessingResponse({ responseBody: { response: { bodyMutation } } });
    expect(Buffer.from(encoded).toString("hex")).toBe(field(4, field(1, field(3, content))).toString("hex"));
  });
});

describe("health codecs", () => {
  test("have the field numbers of grpc.health.v1", () => {
    expect([...encodeHealthCheckRequest({ service: "a" })]).toEqual([0x0a, 1, 0x61]);
    expect([...encodeHealthCheckResponse({ status: 2 })]).toEqual([0x08, 2]);
    expect(decodeHealthCheckRequest(Buffer.from([0x0a, 1, 0x61])).service).toBe("a");
    expect(decodeHealthCheckRequest(Buffer.alloc(0)).service).toBe("");
    expect(decodeHealthCheckResponse(Buffer.from([0x08, 1])).status).toBe(1);
  });
});
