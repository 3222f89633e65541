// A photo or document on its way into a message: what may be sent, and how it is made ready.
import { jpegOf, pictureOf } from "./picture";

export interface Attachment {
  name: string;
  data: string; // base64
  size: number; // bytes of the file
}

export type AttachmentFault = "type" | "large";

export const MAX_FILE = 4 * 1024 * 1024; // what the server takes
export const FILE_TYPES = "image/jpeg,image/png,image/webp,application/pdf";
const EDGE = 2048; // pixels of a photo's longer side: a page of print can still be read
const MAX_NAME = 100; // bytes, with room for an ending

// What the server would refuse in a name, taken out here; cut to a length that fits.
export function plainName(name: string, ending?: string): string {
  const stem = ending ? name.replace(/\.[a-z0-9]{1,5}$/i, "") : name;
  // eslint-disable-next-line no-control-regex
  let plain = stem.replace(/[\u0000-\u001f\u007f/\\"]/g, " ").trim() || "file";
  while (new TextEncoder().encode(plain).length > MAX_NAME) plain = plain.slice(0, -1);
  return plain + (ending || "");
}

function base64Of(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}

// Photos become smaller JPEGs, documents go as they are.
export async function attachmentOf(file: File): Promise<Attachment | AttachmentFault> {
  try {
    if (file.type === "application/pdf") {
      if (file.size > MAX_FILE) return "large";
      return { name: plainName(file.name), data: await base64Of(file), size: file.size };
    }
    if (FILE_TYPES.split(",").indexOf(file.type) < 0) return "type";
    const image = await pictureOf(file);
    const jpeg = await jpegOf(image, image.naturalWidth, image.naturalHeight, EDGE);
    if (!jpeg) return "type";
    if (jpeg.size > MAX_FILE) return "large";
    return { name: plainName(file.name, ".jpg"), data: await base64Of(jpeg), size: jpeg.size };
  } catch {
    return "type"; // it says it is a picture, and is none
  }
}
