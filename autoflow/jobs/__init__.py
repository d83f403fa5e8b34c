"""Durable jobs: everything that takes long is done by a worker, and outlives a reload, a restart and a crash.

    queued ----claim----> running ----> done | failed
      ^  \\                 |    \\
      |   \\               pause   cancel
      |    \\                |       \\
      |     `-> paused <-- pausing   `-> cancelling ----> cancelled
      `--resume--'  (from failed too)

- `pausing` and `cancelling` are requests to the worker that holds the job. It finishes the calls in flight and starts
  no new one (pause), or aborts them (cancel). What is done before it hears of the request is `done` all the same.
- A queued job is paused and cancelled at once, a paused one cancelled at once. `resume` in `pausing` takes the pause
  back.
- A worker holds a job by a lease that it renews. A lease that ran out is not an end: the job counts as running until
  another worker claims it, with a larger fencing token; from then on the first one can write nothing.
- After 5 claims without a checkpoint in between a job is `failed`, with the last error.

`worker` is the process, `runner` carries out one job, `context` is what a handler gets, `handlers` holds one module a
kind of job, `supervisor` keeps one worker alive for a data folder.
"""
