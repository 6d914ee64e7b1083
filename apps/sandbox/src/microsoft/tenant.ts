/** All of the sandbox's Microsoft accounts are of one tenant. */
export const TENANT_ID = '5a4d8b0e-7c1f-4e2a-9d36-1b0f5e8c7a42';
