/** One JSON request; the answer whatever its status. */
export interface HttpAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** @throws TypeError when nobody answers. */
export async function requestJson<Body>(url: string, request: HttpRequest = {}): Promise<HttpAnswer<Body>> {
  const { method = request.body === undefined ? 'GET' : 'POST', headers = {}, body } = request;
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
}

/** @throws Error with status and code when the answer is not a success. */
export async function expectJson<Body>(url: string, request: HttpRequest = {}): Promise<Body> {
  const answer = await requestJson<Body & { error?: { code?: string; message?: string } }>(url, request);
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  const { code, message } = answer.body?.error ?? {};
  const path = new URL(url).pathname;
  throw new Error(`${request.method ?? ''} ${path} answered ${answer.status} ${code ?? ''} ${message ?? ''}`.trim());
}
