// SPDX-License-Identifier: Apache-2.0
/** Whether the canvas is so far away that nodes show only their names. */

import { createContext, useContext } from "react";

export const FAR_ZOOM = 0.4;
export const FarContext = createContext(false);
export const useFar = (): boolean => useContext(FarContext);
