// SPDX-License-Identifier: Apache-2.0
/** What a run would do, asked for whenever something that matters has changed. */

import { useEffect, useState } from "react";

import { api, ApiError } from "../api/client";
import type { ForecastView, RunRequest } from "../api/types";
import { documents, useDocument } from "../state/documents";
import { useStore } from "../state/store";
import { workspace } from "../state/workspace";
import { givenInputs } from "./inputs";
import { changeRuns, type RunChoice, runsOf, useIsRunning, useRuns } from "./store";

const PAUSE = 250; // milliseconds without a change, before the server is asked

/** Keeps the forecast of a file true while nothing runs. */
export function useForecast(path: string): void {
  useAsked(path, {}, true, (forecast) => changeRuns(path, { forecast }));
}

/** What a part of the workflow would do if it ran; null as long as it is not known. */
export function usePartForecast(path: string, choice: RunChoice, isWanted: boolean): ForecastView | null {
  const [forecast, setForecast] = useState<ForecastView | null>(null);
  useAsked(path, choice, isWanted, setForecast);
  return isWanted ? forecast : null;
}

function useAsked(
  path: string,
  { start, until }: RunChoice,
  isWanted: boolean,
  take: (forecast: ForecastView | null) => void,
): void {
  const version = useDocument(path)?.version;
  const inputs = useRuns(path, (file) => file.inputs);
  const pins = useRuns(path, (file) => file.pins);
  const isBusy = useIsRunning(path);
  const isLive = useStore(workspace, (all) => all.connection === "live");
  const folder = useStore(workspace, (all) => all.folder);
  useEffect(() => {
    if (!isWanted || version === undefined || isBusy || !isLive) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      void ask(path, { start, until }, stop.signal).then((forecast) => {
        if (!stop.signal.aborted && forecast !== undefined) take(forecast);
      });
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [path, version, inputs, pins, isBusy, isLive, folder, start, until, isWanted]);
}

/** The forecast; null where there is none now, undefined where the question came too late. */
async function ask(
  path: string,
  { start, until }: { start: string | undefined; until: string | undefined },
  signal: AbortSignal,
): Promise<ForecastView | null | undefined> {
  const document = documents.get()[path];
  if (!document || document.steps.length === 0) return null;
  const request: RunRequest = {
    path,
    version: document.version,
    inputs: givenInputs(document.inputs, runsOf(path).inputs),
    start: start ?? null,
    until: until ?? null,
  };
  try {
    return await api.post<ForecastView>("/api/forecast", request, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof ApiError)) return undefined;
    return error.status === 409 ? undefined : null;
  }
}
