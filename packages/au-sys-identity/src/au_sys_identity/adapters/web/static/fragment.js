// The link in a mail carries its token in the fragment, which browsers send to nobody: put it into the form and drop it from the address.
const field = document.querySelector("input[data-from-fragment]");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (field && token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
