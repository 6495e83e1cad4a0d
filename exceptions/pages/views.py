"""Saved views and columns of the desk: forms in the dialog, each with an address of its own."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.urls import reverse

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from exceptions.desk import views
from exceptions.desk.models import NAME_LENGTH, SavedView
from exceptions.desk.selectors import around
from exceptions.desk.tabs import COLUMN_TITLES
from exceptions.desk.views import Person
from exceptions.pages.asking import asked_of, asking_of_page, canonical
from exceptions.pages.who import access_of
from tenants.gate import member_page
from tenants.models import Scope

LONGEST_QUERY = 2000


class ViewForm(forms.Form):
    """`query`: the list that the page shows."""

    name = forms.CharField(max_length=NAME_LENGTH, label="Name", error_messages={"required": "Give it a name."})
    shared = forms.BooleanField(required=False, label="Share it with the whole team")
    query = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, shares: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not shares:
            del self.fields["shared"]


class ChangeForm(ViewForm):
    take = forms.BooleanField(required=False, label="Make it the list that is shown now")


class ColumnsForm(forms.Form):
    columns = forms.MultipleChoiceField(
        choices=list(COLUMN_TITLES.items()),
        required=False,
        label="Columns",
        widget=forms.CheckboxSelectMultiple,
        help_text="What is wrong is always shown. The choice is yours alone.",
    )


@member_page(Scope.READ)
def saved_views(request: HttpRequest) -> HttpResponse:
    """All that the person sees, to change one or to make it the list that is shown now."""
    person = person_of(request)
    found = around(person.user_id).views
    context = {"views": [(view, person.may_change(view.owner_id)) for view in found], "query": request.GET.urlencode()}
    return show(request, "exceptions/views.html", "exceptions/_saved_views.html", context)


@member_page(Scope.READ)
def new_view(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = ViewForm(request.POST or None, initial={"query": request.GET.urlencode()}, shares=shares(person))
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            query = checked(request, data["query"])
            view = views.save_view(person, name=data["name"], query=query, shared=data.get("shared", False))
            return done(request, f"“{view.name}” is saved.", to=address_of(view), stay=False)
        except Unprocessable as error:
            add_errors(form, error)
    return ask(request, form, title="Save this list", button="Save")


@member_page(Scope.READ)
def change_view(request: HttpRequest, view_id: int) -> HttpResponse:
    person = person_of(request)
    view = views.find_view(person, view_id)
    if not person.may_change(view.owner_id):
        raise views.NotYourView
    initial = {"name": view.name, "shared": view.shared, "query": request.GET.urlencode()}
    form = ChangeForm(request.POST or None, initial=initial, shares=shares(person))
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            query = checked(request, data["query"]) if data["take"] else None
            shared = data.get("shared", view.shared)
            now = asking_of_page(request).now
            view = views.change_view(person, view_id, name=data["name"], shared=shared, query=query, now=now)
            return done(request, f"“{view.name}” is changed.", to=address_of(view), stay=False)
        except Unprocessable as error:
            add_errors(form, error)
    return ask(request, form, title=f"Change “{view.name}”", button="Change", view=view)


@member_page(Scope.READ)
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    view = views.delete_view(person_of(request), view_id)
    return done(request, f"“{view.name}” is deleted.", to=f"{reverse('exceptions')}?{view.query}", stay=False)


@member_page(Scope.READ)
def columns(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = ColumnsForm(
        request.POST if request.method == "POST" else None, initial={"columns": around(person.user_id).columns}
    )
    if request.method == "POST" and form.is_valid():
        views.choose_columns(person, form.cleaned_data["columns"])
        return done(request, "The columns are as you chose.", to=reverse("exceptions"))
    return ask(request, form, title="Columns", button="Show these")


def person_of(request: HttpRequest) -> Person:
    return Person(request.user.pk, frozenset(access_of(request).scopes))


def shares(person: Person) -> bool:
    return Scope.OPERATE in person.scopes


def checked(request: HttpRequest, text: str) -> str:
    """The query in its one spelling. Raises: Unprocessable for one that names no list."""
    query = QueryDict(text)
    asked_of(query, asking_of_page(request))
    spelled = canonical(query)
    if len(spelled) > LONGEST_QUERY:
        raise Unprocessable(
            errors={"query": [f"This filter is too long to be kept: at most {LONGEST_QUERY} characters."]}
        )
    return spelled


def add_errors(form: forms.Form, error: Unprocessable) -> None:
    """At their fields; what is wrong with the list itself stands above the form."""
    visible = {field.name for field in form.visible_fields()}
    for name, sentences in error.errors.items():
        for sentence in sentences:
            form.add_error(name if name in visible else None, sentence)


def address_of(view: SavedView) -> str:
    return reverse("exceptions") + (f"?{view.query}" if view.query else "")


def ask(
    request: HttpRequest, form: forms.Form, *, title: str, button: str, view: SavedView | None = None
) -> HttpResponse:
    context = {"form": dressed(form), "title": title, "button": button, "address": request.path, "view": view}
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/desk_form.html", "exceptions/_desk_form.html", context, status=status)
