// Lists and pages of incidents: fetched anew as soon as the server says that something happened.
import { refresh } from "./refresh.js";

const stream = new EventSource("/events");
let wasOpen = false;

stream.addEventListener("incidents", refresh);
stream.addEventListener("open", () => {
  if (wasOpen) refresh(); // back after a while: what was said meanwhile was not heard
  wasOpen = true;
});
