"""Whether a report says the same as a page of HTML and as a PDF: letter for letter, in the same order.

same_report.py HTML PDF: exits with 1 and prints where they part.
"""
import html.parser
import re
import subprocess
import sys


class Page(html.parser.HTMLParser):
    """The text of the page, and that of the top rows of its tables."""

    def __init__(self):
        super().__init__()
        self.text, self.tops, self.inside, self.top = "", [], [], ""

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag == "thead":
            self.tops.append(self.top)
            self.top = ""
        self.inside.remove(tag)

    def handle_data(self, data):
        if "title" in self.inside or "style" in self.inside:
            return
        self.text += data
        if "thead" in self.inside:
            self.top += data


def plain(text):
    return re.sub(r"\s", "", text)


def pdf_text(path, first, last):
    command = ["pdftotext", "-raw", "-nopgbrk", "-f", str(first), "-l", str(last), path, "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    page.feed(file.read())
info = subprocess.run(["pdfinfo", sys.argv[2]], check=True, capture_output=True, text=True).stdout
pages = int(re.search(r"^Pages:\s+(\d+)", info, re.M).group(1))
drawn = ""
for number in range(1, pages + 1):
    text = plain(pdf_text(sys.argv[2], number, number))
    foot = re.search(r"[^·]{1,40}·[^·]+·\d{4}-\d\d-\d\dT[\d:.]+Z%d/%d$" % (number, pages), text)
    assert foot is not None, "page %d ends without its foot: %r" % (number, text[-80:])
    title = plain(re.search(r"^Title:\s+(.*)$", info, re.M).group(1))
    text = text[:text.rindex(title + "·")]
    for top in page.tops:
        if number > 1 and text.startswith(plain(top)):
            text = text[len(plain(top)):]
    drawn += text
wanted = plain(page.text)
if wanted != drawn:
    at = next((i for i, (a, b) in enumerate(zip(wanted, drawn)) if a != b), min(len(wanted), len(drawn)))
    print("at %d of %d and %d: the page says %r, the PDF %r" %
          (at, len(wanted), len(drawn), wanted[at - 30:at + 50], drawn[at - 30:at + 50]))
    sys.exit(1)
assert len(wanted) > 500, "there is nothing to compare"
