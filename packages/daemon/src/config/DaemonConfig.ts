/** What the daemon is to do: the decoded configuration. */

/** One mount that the daemon keeps. Times are milliseconds. */
export interface MountConfig {
  readonly name: string
  /** What is served, as sources/ reads it, its path absolute. */
  readonly source: string
  /** An absolute path. */
  readonly mountpoint: string
  /** As after `-o`, one each. */
  readonly options: ReadonlyArray<string>
  /** More than `intensity` restarts within `period` end the mount (OTP's max_restarts and max_seconds). */
  readonly restart: {
    readonly intensity: number
    readonly period: number
    readonly backoff: { readonly initial: number; readonly max: number }
  }
  /** What becomes of the mount of a backend that is not durable when its worker dies: mounted anew, empty, or unmounted. */
  readonly whenLost: "restart" | "unmount"
  readonly limits: {
    /** The worker's heap, in MiB. */
    readonly memory?: number
    /** The threads of the worker's pool. */
    readonly threads?: number
  }
  /** A worker that does not answer for so long is killed. */
  readonly heartbeat: number
  /** How long a worker may take to load its code, and from reading to INIT's answer. */
  readonly startTimeout: number
  /** A call that takes longer is told of: on the page, and as a span. */
  readonly slowCall: number
  /** Whether the TRACEPARENT of slow calls' callers is looked up in their environments. */
  readonly traceparent: boolean
}

/** An OpenTelemetry collector, by OTLP over HTTP. */
export interface OtlpConfig {
  /** Before `/v1/metrics` and `/v1/traces`, without a slash at the end. */
  readonly endpoint: string
  /** Of each request, as `authorization`. */
  readonly headers: { readonly [name: string]: string }
  /** Milliseconds between two exports. */
  readonly interval: number
  /** The resource attribute `service.name`. */
  readonly serviceName: string
}

export interface DaemonConfig {
  /** Absolute; made with mode 0700. The control socket and the state file are in it. */
  readonly runtimeDirectory: string
  /** Of the loopback address, for /metrics and /healthz. Default: none. */
  readonly port?: number
  /** Where metrics and spans are sent. Default: nowhere. */
  readonly otlp?: OtlpConfig
  readonly mounts: ReadonlyArray<MountConfig>
}
